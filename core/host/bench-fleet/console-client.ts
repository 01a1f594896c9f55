import { once } from 'node:events';

import { WebSocket } from 'ws';

import { systemClock } from '../../base';
import { decodeWire, encodeWire, SluiceError } from '../../contract';
import type { EngineMessage, FleetBox, RequestInput, RequestName, RequestOutput } from '../../contract';

/** A console by its socket: keeps the boxes it is told of, and counts what comes. */
export class ConsoleClient {
  readonly boxes = new Map<string, FleetBox>();
  /** Times at which `fleet` events came, clock ms. */
  readonly eventsMs: number[] = [];
  receivedBytes = 0;
  private nextId = 1;
  private readonly pending = new Map<
    number,
    (message: Extract<EngineMessage, { readonly id: number }>) => void
  >();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.receive(data));
  }

  static async open(url: string): Promise<ConsoleClient> {
    const { origin, searchParams } = new URL(url);
    const headers = { authorization: `Bearer ${searchParams.get('token') ?? ''}` };
    const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/engine`, { headers });
    await once(socket, 'open');
    return new ConsoleClient(socket);
  }

  /** @throws SluiceError as the engine sent it. */
  request<N extends RequestName>(request: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, ({ reply }) => {
        if (reply.ok) resolve(reply.value);
        else reject(SluiceError.fromWire(reply.error));
      });
      this.socket.send(encodeWire({ id, request, input }));
    });
  }

  async close(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }

  private receive(data: Buffer): void {
    this.receivedBytes += data.byteLength;
    const message = decodeWire(data) as EngineMessage;
    if ('id' in message) {
      this.pending.get(message.id)?.(message);
      this.pending.delete(message.id);
    } else if (message.event === 'fleet') {
      this.eventsMs.push(systemClock.nowMs());
      for (const box of message.payload.changed) this.boxes.set(box.id, box);
      for (const id of message.payload.removed) this.boxes.delete(id);
    }
  }
}
