import type { WebSocket } from 'ws';

import { decodeWire, encodeWire, HOST_ENDED, SluiceError } from '../../contract';
import type { EngineMessage } from '../../contract';
import { connect } from '../connection';
import type { Channel } from '../channel';
import type { HostClock } from '../host-clock';
import type { Services } from '../services';
import type { Log } from '../state-file';

/** Bytes that may wait in a socket before telemetry waits, interim results are left out, and it is given up. */
const BUSY_BYTES = 1 << 20;
const CLOGGED_BYTES = 8 << 20;
const GIVEN_UP_BYTES = 256 << 20;
/** WebSocket close codes (RFC 6455, 7.4.1): a message that can't be read, and "try again later". */
const UNREADABLE = 1007;
const TRY_AGAIN_LATER = 1013;
/** Of our own (4000 and up): logged out, expired, or the token was replaced. Connecting again needs a log-in. */
export const SESSION_ENDED = 4401;
/** The bytes of a reason that a close frame holds (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 123;
/** Browsers that don't answer a close are not waited for any longer. */
const CLOSED_WITHIN_MS = 500;
/** A peer that answers no ping for that long is gone: its machine slept or its network went. */
const PING_EVERY_MS = 30_000;

/** Serves one browser or program over its socket until it closes. */
export function serveSocket(services: Services, socket: WebSocket, log: Log, clock: HostClock): void {
  const endPings = pingWhileOpen(socket, clock);
  const connection = connect(services, channelOf(socket, log), log);
  socket.on('message', (data, isBinary) => {
    try {
      if (!isBinary || !(data instanceof Buffer)) {
        throw new SluiceError('bad-input', 'expected a binary frame, found a text one');
      }
      connection.receive(decodeWire(data));
    } catch (thrown) {
      log(`closing a socket: ${SluiceError.from(thrown).message}`);
      socket.close(UNREADABLE, 'unreadable frame');
    }
  });
  socket.on('error', (error) => log(`socket: ${error.message}`));
  socket.on('close', () => {
    endPings();
    connection.close();
  });
}

/** Closes all with the reason why the host ends, and gives it time to arrive. */
export async function tellEnd(sockets: Iterable<WebSocket>, reason: string, clock: HostClock): Promise<void> {
  const told = [...sockets].map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.once('close', () => resolve());
        socket.close(HOST_ENDED, closeReason(reason));
      }),
  );
  await Promise.race([
    Promise.all(told),
    new Promise<void>((resolve) => void clock.after(CLOSED_WITHIN_MS, resolve)),
  ]);
}

/** The first sentence or so of a longer text. */
function closeReason(text: string): string {
  let cut = text;
  while (Buffer.byteLength(cut) > MAX_REASON_BYTES) cut = `${cut.slice(0, -2)}…`;
  return cut;
}

function pingWhileOpen(socket: WebSocket, clock: HostClock): () => void {
  let answered = true;
  let stop = (): void => undefined;
  socket.on('pong', () => (answered = true));
  const next = (): void => {
    stop = clock.after(PING_EVERY_MS, () => {
      if (!answered) {
        socket.terminate();
        return;
      }
      answered = false;
      socket.ping();
      next();
    });
  };
  next();
  return () => stop();
}

/** What a browser can't take in time first costs it telemetry, then interim results, then the connection. */
function channelOf(socket: WebSocket, log: Log): Channel {
  return {
    send(message: EngineMessage) {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > GIVEN_UP_BYTES) {
        log('closing a socket: the browser does not read what it is sent');
        socket.close(TRY_AGAIN_LATER, 'too slow');
        return;
      }
      socket.send(encodeWire(message));
    },
    pressure() {
      if (socket.bufferedAmount > CLOGGED_BYTES) return 'clogged';
      return socket.bufferedAmount > BUSY_BYTES ? 'busy' : 'free';
    },
  };
}
