import type { IncomingMessage } from 'node:http';

import { WebSocket } from 'ws';

import { connectionFault, connectionTo } from './pinned-connection';
import type { BoxTarget } from './pinned-connection';

export interface BoxSocketEvents {
  readonly onOpen: () => void;
  readonly onFrame: (frame: Uint8Array) => void;
  readonly onPong: () => void;
  /** Once, and the last of all. `isRefusal`: the box will not have us, and another attempt would end alike. */
  readonly onEnd: (end: { readonly isRefusal: boolean; readonly reason: string }) => void;
}

/** One connection to a box. */
export interface BoxSocket {
  readonly send: (frame: Uint8Array) => void;
  readonly ping: () => void;
  /** Waiting to be taken by the box. */
  readonly bufferedBytes: () => number;
  /** Stops and goes on reading. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it at once; `onEnd` follows. */
  readonly end: (reason: string) => void;
}

/** Opens a connection. Scripted in tests. */
export type Dial = (target: BoxTarget, events: BoxSocketEvents) => BoxSocket;

const HANDSHAKE_WITHIN_MS = 10_000;
/** A reply with the largest trace is a fraction of it. */
const MAX_FRAME_BYTES = 64 * 2 ** 20;

export const dialBox: Dial = (target, events) => {
  const { url, token } = target;
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/engine`, {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handshakeTimeout: HANDSHAKE_WITHIN_MS,
    followRedirects: false,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    createConnection: connectionTo(target, HANDSHAKE_WITHIN_MS) as never,
  });
  let hasEnded = false;
  const end = (reason: string, isRefusal = false): void => {
    if (hasEnded) return;
    hasEnded = true;
    socket.terminate();
    events.onEnd({ isRefusal, reason });
  };
  socket.on('open', () => {
    if (!hasEnded) events.onOpen();
  });
  socket.on('message', (data, isBinary) => {
    if (hasEnded) return;
    if (isBinary && data instanceof Buffer) events.onFrame(data);
    else end('It sent text where Sluice sends binary frames.');
  });
  socket.on('pong', () => {
    if (!hasEnded) events.onPong();
  });
  socket.on('unexpected-response', (_request, response) => {
    const { statusCode = 0 } = response;
    const isRefusal = statusCode === 401 || statusCode === 403;
    void reasonIn(response).then((reason) => end(refusalText(statusCode, token, reason), isRefusal));
  });
  socket.on('error', (error) => {
    const { reason, isRefusal } = connectionFault(error);
    end(reason, isRefusal);
  });
  socket.on('close', (code) => end(`The connection was lost (${code}).`));
  return {
    send: (frame) => socket.send(frame),
    ping: () => {
      if (socket.readyState === socket.OPEN) socket.ping();
    },
    bufferedBytes: () => socket.bufferedAmount,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: (reason) => end(reason),
  };
};

const LONGEST_REASON = 500;

/** What a box says beside the status of its refusal. */
async function reasonIn(response: IncomingMessage): Promise<string> {
  response.setTimeout(HANDSHAKE_WITHIN_MS, () => response.destroy());
  let text = '';
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > LONGEST_REASON) break;
    }
  } catch {
    // it broke off: what came of it says enough
  }
  return text.slice(0, LONGEST_REASON).trim();
}

function refusalText(status: number, token: string | undefined, reason: string): string {
  // 401 is about the token; 403 about where the request came from, as through a tunnel to another port.
  if (status === 403) return `It refuses the connection (403)${reason === '' ? '.' : `: ${reason}`}`;
  if (status === 401) {
    return token === undefined
      ? `It wants a token (${status}). Enter the one that "sluice host" prints there.`
      : `It does not take this token (${status}). Enter the one that "sluice host" prints there.`;
  }
  if (status === 503 || status === 429) return `It takes no connections just now (${status}).`;
  return `Something else than "sluice host" answers there (${status}).`;
}
