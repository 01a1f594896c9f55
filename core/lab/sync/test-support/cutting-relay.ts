import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import type { Random } from '../../../base';

/** Bytes after which a connection breaks, either way: some requests never arrive, of some only the answer is lost. */
const MOST_BYTES = 3000;

/** A port in front of another whose connections break at random moments while it is flaky. */
export class CuttingRelay {
  isFlaky = true;
  cuts = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly random: Random,
    readonly url: string,
  ) {}

  static async start(port: number, random: Random): Promise<CuttingRelay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const relay = new CuttingRelay(
      server,
      random,
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
    let left = Math.floor(this.random() ** 2 * MOST_BYTES);
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
        if (!this.isFlaky || chunk.length <= left) {
          left -= this.isFlaky ? chunk.length : 0;
          to.write(chunk);
          return;
        }
        // Some of it still arrives.
        this.cuts += 1;
        to.write(chunk.subarray(0, left), () => {
          near.destroy();
          far.destroy();
        });
      });
    }
  }
}
