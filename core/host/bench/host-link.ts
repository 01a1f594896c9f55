import { once } from 'node:events';

import { WebSocket } from 'ws';

import { decodeWire, encodeWire, SluiceError } from '../../contract';
import type {
  EngineMessage,
  EventName,
  Events,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../contract';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SluiceError) => void;
}

/** An event that is waited for from before it can come. */
export interface Awaited<T> {
  readonly came: Promise<T>;
  readonly forget: () => void;
}

/** For an answer, or an event that is waited for. */
const PATIENCE_MS = 60_000;

/** A browser's side of `sluice host`. When the host is gone, so is everything that was asked. */
export class HostLink {
  private nextId = 1;
  private readonly replies = new Map<number, Waiting>();
  private readonly waits = new Set<Waiting & { readonly look: (message: EngineMessage) => void }>();

  private constructor(
    private readonly socket: WebSocket,
    readonly origin: string,
    readonly cookie: string,
    private readonly patienceMs: number,
  ) {
    socket.on('message', (data: Buffer) => this.receive(decodeWire(data) as EngineMessage));
    socket.on('close', () => this.lost());
    socket.on('error', () => undefined); // 'close' follows
  }

  /** @param url as `sluice host` printed it, with its token. */
  static async open(url: string, patienceMs = PATIENCE_MS): Promise<HostLink> {
    const { origin } = new URL(url);
    const answer = await fetch(url, { redirect: 'manual' });
    await answer.arrayBuffer();
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/engine`, { headers: { origin, cookie } });
    await once(socket, 'open');
    return new HostLink(socket, origin, cookie, patienceMs);
  }

  /** @throws SluiceError as the engine sent it; `engine-down` when it is gone, `timeout`. */
  request<N extends RequestName>(request: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) {
        reject(gone());
        return;
      }
      const timer = setTimeout(() => this.replies.get(id)?.reject(this.late(request)), this.patienceMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.replies.delete(id);
      };
      this.replies.set(id, {
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.socket.send(encodeWire({ id, request, input }));
    });
  }

  /** The first event from now on that `fits`; its `came` rejects as `request` does. */
  event<E extends EventName>(event: E, fits: (payload: Events[E]) => boolean): Awaited<Events[E]> {
    let forget = (): void => undefined;
    const came = new Promise<Events[E]>((resolve, reject) => {
      const timer = setTimeout(() => wait.reject(this.late(event)), this.patienceMs);
      forget = () => {
        clearTimeout(timer);
        this.waits.delete(wait);
      };
      const wait = {
        look: (message: EngineMessage) => {
          if (!('event' in message) || message.event !== event) return;
          const payload = message.payload as Events[E];
          if (fits(payload)) wait.resolve(payload);
        },
        resolve: (value: unknown) => {
          forget();
          resolve(value as Events[E]);
        },
        reject: (error: SluiceError) => {
          forget();
          reject(error);
        },
      };
      this.waits.add(wait);
      if (this.socket.readyState !== WebSocket.OPEN) wait.reject(gone());
    });
    // Whoever stops waiting before it comes need not handle its end.
    came.catch(() => undefined);
    return { came, forget };
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.terminate();
    await closed;
  }

  private receive(message: EngineMessage): void {
    if (!('id' in message)) {
      for (const wait of [...this.waits]) wait.look(message);
      return;
    }
    const { id, reply } = message;
    if (reply.ok) this.replies.get(id)?.resolve(reply.value);
    else this.replies.get(id)?.reject(SluiceError.fromWire(reply.error));
  }

  private late(what: string): SluiceError {
    return new SluiceError('timeout', `${what}: nothing came within ${this.patienceMs / 1000} s.`);
  }

  private lost(): void {
    for (const waiting of [...this.replies.values(), ...this.waits]) waiting.reject(gone());
  }
}

function gone(): SluiceError {
  return new SluiceError('engine-down', 'The connection to the engine was lost.');
}
