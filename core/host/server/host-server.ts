import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import { SluiceError } from '../../contract';
import { systemClock } from '../host-clock';
import type { HostClock } from '../host-clock';
import type { Services } from '../services';
import type { Log } from '../state-file';
import { clearUploads } from '../models/uploads';
import { AccessTokens, hashOf } from './access-tokens';
import type { TokenSource } from './access-tokens';
import { isLoopback, ownNames, urlHost } from './addresses';
import { Answers } from './answers';
import type { Listener } from './listener';
import { OriginCheck } from './origin-check';
import { DEFAULT_RATES, RateLimits } from './rate-limits';
import type { HostRates } from './rate-limits';
import { noToken, refusal, writeTo } from './reply';
import type { Reply } from './reply';
import { SessionGuard } from './session-guard';
import { Sessions } from './sessions';
import type { Session, SessionTimes } from './sessions';
import { serveSocket, SESSION_ENDED, tellEnd } from './socket';

/** One request of a browser: an image or tensors sent along fit. */
const MAX_FRAME_BYTES = 512 * 2 ** 20;
const MAX_SOCKETS_PER_SESSION = 64;
const DEFAULT_TIMES: SessionTimes = { idleMs: 3_600_000, totalMs: 12 * 3_600_000 };

export interface HostServerOptions {
  readonly services: Services;
  readonly listener: Listener;
  /** Folder of the built console. */
  readonly rendererDir: string;
  readonly tokens: readonly TokenSource[];
  /** One more, for the printed address. */
  readonly launchToken?: string;
  readonly allowedHosts?: readonly string[];
  readonly behindProxy?: boolean;
  /** Tell browsers to come over TLS only: for a certificate that they trust. */
  readonly strictTransport?: boolean;
  readonly sessionTimes?: SessionTimes;
  readonly rates?: Partial<HostRates>;
  readonly maxUploadBytes?: number;
  readonly clock?: HostClock;
  readonly log: Log;
}

export interface HostServer {
  /** The address to open, with the launch token if there is one. */
  readonly url: string;
  readonly port: number;
  /** @param reason why the host ends, for the consoles that are open; absent when it was told to. */
  close(reason?: string): Promise<void>;
}

/** Serves the console at a listener: its files, `/engine` (WebSocket, MessagePack frames), `/upload`, and the log-in. */
export async function startHostServer(options: HostServerOptions): Promise<HostServer> {
  const { services, listener, launchToken, behindProxy = false, clock = systemClock, log } = options;
  await clearUploads(services.info.dataDir, clock.nowMs());
  const launched = launchToken === undefined ? undefined : hashOf(launchToken);
  const tokens = new AccessTokens([...options.tokens, () => launched]);
  const limits = new RateLimits({ ...DEFAULT_RATES, ...options.rates });
  const sessions = new Sessions(tokens, options.sessionTimes ?? DEFAULT_TIMES, clock);
  const port = (): number => listener.port;
  const { secure } = listener;
  const guard = new SessionGuard({ port, secure, behindProxy, tokens, sessions, limits });
  const origins = new OriginCheck({ port, secure, behindProxy, allowedHosts: options.allowedHosts ?? [] });
  const answers = new Answers({
    ...options,
    clock,
    tokens,
    sessions,
    guard,
    origins,
    limits,
    tokenInAddress: isLoopback(listener.host),
  });
  listener.serve((request, response) => void answers.answer(request, response));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  listener.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const serve = (client: WebSocket): void => serveSocket(services, client, log, clock);
    socket.on('error', (error) => log(`socket: ${error.message}`));
    upgrade({ guard, origins, sockets, serve }, request, socket, head).catch((thrown: unknown) => {
      log(`refused a socket: ${SluiceError.from(thrown).message}`);
      socket.destroy();
    });
  });
  return {
    url: addressOf(listener, launchToken),
    port: listener.port,
    async close(reason) {
      sessions.close();
      if (reason !== undefined) await tellEnd(sockets.clients, reason, clock);
      for (const client of sockets.clients) client.terminate();
      await listener.close();
    },
  };
}

const ANY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

function addressOf({ secure, host, port }: Listener, token: string | undefined): string {
  const query = token === undefined ? '' : `?token=${token}`;
  const name = ANY_ADDRESS.includes(host) ? (ownNames()[0] ?? host) : urlHost(host);
  return `${secure ? 'https' : 'http'}://${name}:${port}/${query}`;
}

interface SocketGate {
  readonly guard: SessionGuard;
  readonly origins: OriginCheck;
  readonly sockets: WebSocketServer;
  readonly serve: (client: WebSocket) => void;
}

async function upgrade(
  { guard, origins, sockets, serve }: SocketGate,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const admitted = await admit(guard, origins, request);
  if ('status' in admitted) {
    writeTo(socket, admitted);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => {
    if (hold(admitted, client)) serve(client);
  });
}

async function admit(
  guard: SessionGuard,
  origins: OriginCheck,
  request: IncomingMessage,
): Promise<Session | Reply> {
  const reason = origins.refusal(request);
  if (reason !== undefined) return refusal(403, reason);
  if (request.url?.split('?')[0] !== '/engine') return refusal(404, 'Sockets are at /engine.');
  const visitor = await guard.visitor(request);
  if (visitor.kind === 'wait')
    return refusal(429, 'Too many requests came from your address.', visitor.retryAfterSec);
  if (visitor.kind === 'wrong-token') return refusal(401, 'The token is wrong.');
  if (visitor.kind === 'stranger') return noToken();
  if (visitor.session.expires && !origins.isOurPage(request)) {
    return refusal(401, 'A session is for browsers: programs send the token.');
  }
  return visitor.session;
}

/** WebSocket close code "policy violation" (RFC 6455, 7.4.1). */
const TOO_MANY = 1008;

function hold(session: Session, client: WebSocket): boolean {
  try {
    const release = session.hold('socket', MAX_SOCKETS_PER_SESSION, () =>
      client.close(SESSION_ENDED, 'session ended'),
    );
    client.once('close', release);
    return true;
  } catch (thrown) {
    client.close(TOO_MANY, SluiceError.from(thrown).message);
    return false;
  }
}
