import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import type { Random } from '../../../base';

/** Bytes after which a connection breaks, either way: some requests never arrive, of some only the answer is lost. */
const MOST_BYTES = 4000;
const MOST_ANSWERS = 12;

/** A port in front of another whose connections break at random moments while it is flaky. */
export class CuttingRelay {
  isFlaky = true;
  cuts = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly random: Random,
    private readonly mostBytes: number,
    readonly url: string,
  ) {}

  static async start(port: number, random: Random, mostBytes = MOST_BYTES): Promise<CuttingRelay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const relay = new CuttingRelay(
      server,
      random,
      mostBytes,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    server.on('connection', (near) => relay.join(near, connect(port, '127.0.0.1')));
    return relay;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private join(near: Socket, far: Socket): void {
    let bytesLeft = Math.floor(this.random() ** 2 * this.mostBytes);
    // Of as many connections it is an answer that gets lost, after all of the request arrived.
    let answersLeft = this.random() < 0.5 ? Math.floor(this.random() * MOST_ANSWERS) : Infinity;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.once('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk) => {
        const isCut = answersLeft === Infinity ? chunk.length > bytesLeft : from === far && answersLeft === 0;
        if (from === far) answersLeft -= 1;
        bytesLeft -= chunk.length;
        if (!this.isFlaky || !isCut) {
          to.write(chunk);
          return;
        }
        this.cuts += 1;
        // Some of a request still arrives.
        const arriving = from === near ? chunk.subarray(0, Math.max(0, bytesLeft + chunk.length)) : '';
        to.write(arriving, () => {
          near.destroy();
          far.destroy();
        });
      });
    }
  }
}
