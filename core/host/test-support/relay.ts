import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A port of this machine in front of another, which can be cut as when the machine behind it is gone. */
export class Relay {
  /** That came through to what is behind. */
  passedBytes = 0;
  /** All connections break once so many have come through; new ones are taken. */
  breaksAtBytes = Infinity;
  /** The connection by which so many are reached brings no more. */
  holdsAtBytes = Infinity;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** Of what is behind. */
    public port: number,
    /** Stays what it was once it is cut. */
    public url = '',
  ) {}

  static async start(port: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server, port);
    server.on('connection', (near) => {
      const far = connect(relay.port, '127.0.0.1');
      near.on('data', (chunk: Buffer) => relay.passes(chunk.byteLength, near));
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        relay.sockets.add(from);
        from.on('error', () => undefined);
        from.once('close', () => to.destroy());
        from.pipe(to);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    relay.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return relay;
  }

  private passes(bytes: number, near: Socket): void {
    this.passedBytes += bytes;
    if (this.passedBytes >= this.holdsAtBytes) {
      this.holdsAtBytes = Infinity;
      near.unpipe();
      near.pause();
    }
    if (this.passedBytes < this.breaksAtBytes) return;
    this.breaksAtBytes = Infinity;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Connections break, and new ones are refused. */
  async cut(): Promise<void> {
    if (!this.server.listening) return;
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }
}
