import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A connection on which tests write what no well-behaved client would. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that came until the other side closed. */
  readonly reply: Promise<string>;
}

export function rawConnection(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // A reset ends the connection like any other end.
  socket.on('error', () => undefined);
  const reply = new Promise<string>((resolve) =>
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1'))),
  );
  return { socket, reply };
}
