import { decodeWire, encodeWire, HOST_ENDED } from '../../core/contract';
import { strings } from '../strings';
import { createStatusHolder } from './engine-client';
import type { EngineClient } from './engine-client';
import { createExchange } from './exchange';

/** The part of a browser's WebSocket that is used; tests bring their own. */
export interface SocketLike {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface SocketParts {
  readonly open: () => SocketLike;
  readonly schedule: (run: () => void, delayMs: number) => () => void;
  /** Told when a connection ended or was not made: a browser's socket does not tell whether it was refused. */
  readonly lost?: () => void;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;
/** Failed attempts in a row before the state says `down`; attempts go on at the longest interval all the same. */
const ATTEMPTS_BEFORE_DOWN = 6;

/** Over a WebSocket of MessagePack frames, for the console in a browser. Reconnects for ever, ever slower. */
export function createSocketClient(parts: SocketParts): EngineClient {
  const exchange = createExchange();
  const holder = createStatusHolder();
  let failures = 0;
  let reconnects = 0;
  let everConnected = false;
  let cancelRetry: (() => void) | undefined;

  /** Why the host ended, while it is not back. */
  let lastWord: string | undefined;

  const onLost: SocketLike['onclose'] = ({ code, reason: said }) => {
    if (code === HOST_ENDED) lastWord = said;
    const { hostEnded, hostLost, hostSilent } = strings.connection;
    const silent = everConnected ? hostLost : hostSilent;
    const reason = lastWord === undefined ? silent : hostEnded(lastWord);
    exchange.detach(reason);
    parts.lost?.();
    failures += 1;
    if (failures >= ATTEMPTS_BEFORE_DOWN) holder.set({ state: 'down', reason });
    else if (everConnected)
      holder.set({ state: 'restarting', reason, restarts: (reconnects += failures === 1 ? 1 : 0) });
    else holder.set({ state: 'starting' });
    cancelRetry = parts.schedule(connect, Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)));
  };

  const connect = (): void => {
    cancelRetry = undefined;
    const socket = parts.open();
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      failures = 0;
      lastWord = undefined;
      everConnected = true;
      exchange.attach({ send: (message) => socket.send(new Uint8Array(encodeWire(message))) });
      holder.set({ state: 'ok' });
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) exchange.receive(decodeWire(data));
    };
    socket.onclose = onLost;
  };

  connect();
  return {
    request: exchange.request,
    on: exchange.on,
    status: holder.status,
    onStatus: holder.onStatus,
    revive: () => {
      if (cancelRetry === undefined) return;
      cancelRetry();
      connect();
    },
  };
}

/** Opens `/engine` on the host that served this page. */
export function browserSocketParts(location: Location): SocketParts {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return {
    open: () => new WebSocket(`${scheme}://${location.host}/engine`) as unknown as SocketLike,
    schedule: (run, delayMs) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    lost: () => void showLoginIfEnded(location),
  };
}

/** Sessions end with time, by logging out in another tab, and with the host's process: the page is then the login's. */
async function showLoginIfEnded(location: Location): Promise<void> {
  const answer = await fetch('/', { method: 'HEAD', cache: 'no-store' }).catch(() => undefined);
  if (answer?.status === 401) location.reload();
}
