import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { systemClock } from '../../../base';
import type { Clock } from '../../../base';
import { LinkLane } from './link-lane';
import type { LinkConditions } from './link-lane';

/** What goes wrong on a link. */
export type LinkFault =
  | { readonly kind: 'none' }
  /** Nobody listens: new connections are refused, those under way go on. */
  | { readonly kind: 'refuse' }
  /**
   * Each connection is reset once that many bytes more went over it, both directions together. Of the last of them the
   * receiver may lose some: a reset overtakes what it has not read.
   */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Nothing arrives any more, and no connection ends, until there is another fault or none. */
  | { readonly kind: 'stall' };

export interface DelayingProxyOptions {
  /** Where connections go on to. */
  readonly host: string;
  readonly port: number;
  /** Default: no delay, no limit. */
  readonly conditions?: Partial<LinkConditions>;
  readonly clock?: Clock;
}

const IDEAL: LinkConditions = { delayMs: 0, bytesPerSec: Infinity };
/** What enters the link as a whole: small enough that connections take turns. */
const PIECE_BYTES = 8 * 1024;
/** Of one connection and direction, waiting to enter the link: as a socket's send buffer. */
const MAX_WAITING_BYTES = 64 * 1024;
/** Of one connection and direction, not delivered yet. */
const MAX_UNDER_WAY_BYTES = 16 * 2 ** 20;

/**
 * A TCP proxy on loopback that is a worse link: one-way delay, bandwidth, faults. Everything may be changed while
 * connections are under way. Connections themselves are accepted at once: their first byte takes the delay.
 */
export class DelayingProxy {
  private readonly connections = new Set<Connection>();
  private readonly lanes: readonly [toServer: LinkLane, toClient: LinkLane];
  private listener: Server | undefined;
  private fault: LinkFault = { kind: 'none' };
  private listeningPort = 0;

  private constructor(
    private readonly options: DelayingProxyOptions,
    private conditions: LinkConditions,
  ) {
    const { clock = systemClock } = options;
    this.lanes = [new LinkLane(clock, conditions), new LinkLane(clock, conditions)];
  }

  static async start(options: DelayingProxyOptions): Promise<DelayingProxy> {
    const proxy = new DelayingProxy(options, checked({ ...IDEAL, ...options.conditions }));
    await proxy.listen();
    return proxy;
  }

  get host(): string {
    return '127.0.0.1';
  }

  get port(): number {
    return this.listeningPort;
  }

  /** @throws RangeError for a negative delay or a rate that is not positive. */
  set(conditions: Partial<LinkConditions>): void {
    this.conditions = checked({ ...this.conditions, ...conditions });
    for (const lane of this.lanes) lane.set(this.conditions);
  }

  async setFault(fault: LinkFault): Promise<void> {
    this.fault = fault;
    for (const lane of this.lanes) lane.stall(fault.kind === 'stall');
    for (const connection of this.connections) connection.allow(allowanceOf(fault));
    if (fault.kind === 'refuse') {
      this.listener?.close();
      this.listener = undefined;
    } else if (this.listener === undefined) await this.listen();
  }

  async close(): Promise<void> {
    const closed = this.listener && once(this.listener, 'close');
    this.listener?.close();
    this.listener = undefined;
    for (const connection of this.connections) connection.destroy();
    for (const lane of this.lanes) lane.close();
    await closed;
  }

  private async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.accept(client));
    this.listener = server;
    server.listen(this.listeningPort, this.host);
    await once(server, 'listening');
    this.listeningPort = (server.address() as AddressInfo).port;
  }

  private accept(client: Socket): void {
    const { host, port } = this.options;
    const upstream = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const connection = new Connection(client, upstream, this.lanes, () =>
      this.connections.delete(connection),
    );
    this.connections.add(connection);
    connection.allow(allowanceOf(this.fault));
  }
}

/** Two sockets and what passes between them. */
class Connection {
  private allowedBytes = Infinity;
  private isOver = false;

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    [toServer, toClient]: readonly [LinkLane, LinkLane],
    private readonly onOver: () => void,
  ) {
    this.relay(client, upstream, toServer);
    this.relay(upstream, client, toClient);
  }

  /** Bytes that still pass before it is reset. */
  allow(bytes: number): void {
    this.allowedBytes = bytes;
    if (bytes <= 0) this.reset();
  }

  destroy(): void {
    this.end(() => {
      this.client.destroy();
      this.upstream.destroy();
    });
  }

  private reset(): void {
    this.end(() => {
      this.client.resetAndDestroy();
      this.upstream.resetAndDestroy();
    });
  }

  private end(how: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    how();
    this.onOver();
  }

  private relay(from: Socket, to: Socket, lane: LinkLane): void {
    let waitingBytes = 0;
    let underWayBytes = 0;
    const balance = (): void => {
      if (this.isOver) return;
      const isFull = waitingBytes >= MAX_WAITING_BYTES || underWayBytes >= MAX_UNDER_WAY_BYTES;
      if (isFull || to.writableNeedDrain) from.pause();
      else from.resume();
    };
    const send = (bytes: number, deliver: () => void): void => {
      waitingBytes += bytes;
      underWayBytes += bytes;
      lane.send({
        bytes,
        isWanted: () => !this.isOver,
        onSent: () => {
          waitingBytes -= bytes;
          balance();
        },
        deliver: () => {
          underWayBytes -= bytes;
          if (this.isOver) return;
          deliver();
          balance();
        },
      });
    };
    from.on('data', (chunk: Buffer) => {
      for (let start = 0; start < chunk.byteLength; start += PIECE_BYTES) {
        const piece = chunk.subarray(start, start + PIECE_BYTES);
        send(piece.byteLength, () => this.pass(to, piece));
      }
      balance();
    });
    from.on('end', () => send(0, () => to.end()));
    to.on('drain', balance);
    // A broken side breaks the other, as a router that loses its link would not: what is under way is lost.
    from.on('error', () => this.reset());
    from.on('close', () => {
      if (to.destroyed) this.destroy();
    });
  }

  private pass(to: Socket, piece: Buffer): void {
    if (piece.byteLength < this.allowedBytes) {
      this.allowedBytes -= piece.byteLength;
      to.write(piece);
      return;
    }
    // The other side gets exactly what is allowed, then the reset.
    if (this.allowedBytes > 0) to.write(piece.subarray(0, this.allowedBytes), () => this.reset());
    this.allowedBytes = 0;
  }
}

function allowanceOf(fault: LinkFault): number {
  return fault.kind === 'reset' ? fault.afterBytes : Infinity;
}

function checked(conditions: LinkConditions): LinkConditions {
  const { delayMs, bytesPerSec } = conditions;
  if (delayMs >= 0 && Number.isFinite(delayMs) && bytesPerSec > 0) return conditions;
  throw new RangeError(
    `A link: expected a delay of 0 ms or more and a rate above 0 bytes/s, found ${delayMs} ms and ${bytesPerSec} bytes/s`,
  );
}
