import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { WebSocketServer } from 'ws';

import { SluiceError } from '../../contract';
import type { Services } from '../services';
import type { Log } from '../state-file';
import { clearUploads } from '../uploads';
import { AccessTokens, hashOf, newToken } from './access-tokens';
import type { TokenSource } from './access-tokens';
import { SessionGuard } from './session-guard';
import { serveSocket } from './socket';
import { readStatic, SECURITY_HEADERS } from './static-files';
import { receiveUpload } from './upload';

const LOOPBACK = '127.0.0.1';
/** One request of a browser: an image or tensors sent along fit. */
const MAX_FRAME_BYTES = 512 * 2 ** 20;
const MAX_UPLOAD_BYTES = 16 * 2 ** 30;

export interface HostServerOptions {
  readonly services: Services;
  /** 0: any free port. */
  readonly port: number;
  /** Folder of the built console. */
  readonly rendererDir: string;
  /** Beside the one in the printed address, which is made anew at each start. */
  readonly tokens?: readonly TokenSource[];
  readonly log: Log;
  readonly maxUploadBytes?: number;
}

export interface HostServer {
  /** The address to open, with the session's token. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves the console to browsers on this machine: its files, `/engine` (WebSocket, MessagePack frames) and `/upload`.
 * @throws SluiceError `conflict` when the port is taken.
 */
export async function startHostServer(options: HostServerOptions): Promise<HostServer> {
  await clearUploads(options.services.info.dataDir);
  const server = createServer();
  const token = newToken();
  const tokens = new AccessTokens([constantly(hashOf(token)), ...(options.tokens ?? [])]);
  const guard = new SessionGuard(() => (server.address() as AddressInfo).port, tokens);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void answer(options, guard, request, response);
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname } = new URL(request.url ?? '/', `http://${LOOPBACK}`);
    if (pathname !== '/engine' || !guard.isOurOrigin(request)) {
      options.log(`refused a socket of ${request.headers.origin ?? 'no origin'} for ${pathname}`);
      refuse(
        socket,
        '403 Forbidden',
        'Sockets are at /engine, for the console and for programs with the token.',
      );
      return;
    }
    const refusal = guard.refusal(request);
    if (refusal !== undefined) return refuse(socket, '401 Unauthorized', refusal);
    sockets.handleUpgrade(request, socket, head, (client) =>
      serveSocket(options.services, client, options.log),
    );
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${LOOPBACK}:${port}/?token=${token}`,
    port,
    close: () => closeAll(server, sockets),
  };
}

function constantly<T>(value: T): () => T {
  return () => value;
}

function refuse(socket: Duplex, status: string, text: string): void {
  const body = Buffer.from(`${text}\n`);
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${body.byteLength}\r\n\r\n${body.toString('utf8')}`,
  );
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const what = taken
        ? `Port ${port} is taken. Choose another with --port (0: any free one).`
        : `Can't listen on port ${port}: ${cause.message}.`;
      reject(new SluiceError(taken ? 'conflict' : 'io', what, { port }, { cause }));
    });
    server.listen(port, LOOPBACK, resolve);
  });
}

function closeAll(server: Server, sockets: WebSocketServer): Promise<void> {
  return new Promise((resolve) => {
    for (const client of sockets.clients) client.terminate();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  options: HostServerOptions,
  guard: SessionGuard,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', `http://${LOOPBACK}`);
    if (!guard.isOurOrigin(request))
      send(response, 403, 'Refused: open the address that "sluice host" printed.');
    else if (request.method === 'POST' && url.pathname === '/upload') {
      await upload(options, guard, request, response, url.searchParams.get('name') ?? '');
    } else if (request.method === 'GET' || request.method === 'HEAD') {
      await page(options, guard, request, response, url);
    } else send(response, 405, 'Only GET, and POST to /upload.');
  } catch (thrown) {
    const { code, message } = SluiceError.from(thrown);
    options.log(`${request.method ?? ''} ${request.url ?? ''}: ${message}`);
    if (response.headersSent) response.destroy();
    else send(response, code === 'bad-input' ? 400 : 500, message);
  }
}

/** The token in the address becomes a cookie, and the address a plain one that can be kept. */
async function page(
  { rendererDir }: HostServerOptions,
  guard: SessionGuard,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const token = url.searchParams.get('token');
  if (token !== null && guard.isToken(token)) {
    response.writeHead(303, { ...SECURITY_HEADERS, location: '/', 'set-cookie': guard.cookie() }).end();
    return;
  }
  const isEntry = url.pathname === '/' || url.pathname === '/index.html';
  if (isEntry && !guard.hasSession(request)) {
    send(response, 401, 'Open the address that "sluice host" printed: it ends in ?token=...');
    return;
  }
  const file = await readStatic(rendererDir, url.pathname);
  if (file === undefined) {
    const hint = isEntry ? ' The console is not built: run "npm run build".' : '';
    send(response, 404, `Not found.${hint}`);
    return;
  }
  const headers = { ...SECURITY_HEADERS, 'content-type': file.mime, 'content-length': file.body.byteLength };
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : file.body);
}

async function upload(
  { services, maxUploadBytes = MAX_UPLOAD_BYTES }: HostServerOptions,
  guard: SessionGuard,
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
): Promise<void> {
  const refusal = guard.refusal(request);
  if (refusal !== undefined) return send(response, 401, refusal);
  const path = await receiveUpload(request, name, services.info.dataDir, maxUploadBytes);
  const body = JSON.stringify({ path });
  response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'application/json' }).end(body);
}

/** The rest of a refused request's body is not read, so its connection can't be used again. */
function send(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      ...SECURITY_HEADERS,
      'content-type': 'text/plain; charset=utf-8',
      connection: 'close',
    })
    .end(`${text}\n`);
}
