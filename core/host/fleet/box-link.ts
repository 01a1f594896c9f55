import type { Clock } from '../../base';
import { decodeWire, encodeWire, SluiceError } from '../../contract';
import type { ErrorCode } from '../../contract';
import type { BoxSocket, BoxSocketEvents, Dial } from './box-socket';
import { FLOOD_LIMITS, FloodGuard } from './flood-guard';
import type { FloodLimits } from './flood-guard';
import { eventOfFrame } from './frame-event';
import type { BoxTarget } from './pinned-connection';
import { faultOfEvent, isToldEvent } from './told-events';
import type { ToldEvent } from './told-events';
import { replySchema } from './wire-schemas';

export interface BoxLinkParts {
  readonly dial: Dial;
  readonly target: BoxTarget;
  readonly clock: Clock;
  readonly floodLimits?: FloodLimits;
  readonly onOpen: () => void;
  /** Whether an event is worth reading now. */
  readonly wants: (event: ToldEvent) => boolean;
  readonly onEvent: (event: ToldEvent, payload: unknown) => void;
  readonly onRoundTrip: (ms: number) => void;
  readonly onEnd: BoxSocketEvents['onEnd'];
  /** Something a box that means well does not do. */
  readonly note: (what: string) => void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: SluiceError) => void;
  readonly stopTimer: () => void;
}

/** Requests that wait for a box at once, and bytes that wait to be sent to it. */
const MOST_PENDING = 256;
const MOST_BUFFERED_BYTES = 64 << 20;
/** A box that has told nothing while so many pings went out hangs. */
const PINGS_UNANSWERED = 3;

/** One connection to a box from its beginning to its end: requests, events, and whether it still answers. */
export class BoxLink {
  private readonly socket: BoxSocket;
  private readonly guard: FloodGuard;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private pingEveryMs = Infinity;
  private unanswered = 0;
  private pingedMs: number | undefined;
  private stopPing: (() => void) | undefined;
  private hasEnded = false;

  constructor(private readonly parts: BoxLinkParts) {
    const { clock, dial, target, floodLimits = FLOOD_LIMITS, note } = parts;
    this.guard = new FloodGuard(clock, floodLimits, {
      pause: () => this.socket.pause(),
      resume: () => {
        if (!this.hasEnded) this.socket.resume();
      },
      onFlood: () => note('sends more than can be read; it is read slower'),
    });
    this.socket = dial(target, {
      onOpen: () => parts.onOpen(),
      onFrame: (frame) => this.receive(frame),
      onPong: () => this.pong(),
      onEnd: (end) => this.ended(end),
    });
  }

  /** Asks for signs of life so often. */
  pingEvery(ms: number): void {
    if (ms === this.pingEveryMs || this.hasEnded) return;
    this.pingEveryMs = ms;
    this.stopPing?.();
    // One that went out at the slower pace may be answered yet.
    this.unanswered = 0;
    this.ping();
  }

  /**
   * @throws SluiceError what the box answers, as it is; `engine-down` when the connection ends first; `timeout`;
   * `overloaded` when too much waits for it already.
   */
  request(request: string, input: unknown, withinMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.hasEnded) throw gone('The connection is closed.');
      if (this.pending.size >= MOST_PENDING || this.socket.bufferedBytes() > MOST_BUFFERED_BYTES) {
        throw new SluiceError(
          'overloaded',
          `Too much waits for this box already; try ${request} again later.`,
        );
      }
      const id = this.nextId++;
      const frame = encodeWire({ id, request, input });
      const stopTimer = this.parts.clock.after(withinMs, () => {
        this.pending.delete(id);
        reject(
          new SluiceError('timeout', `The box did not answer ${request} within ${withinMs / 1000} s.`, {
            request,
          }),
        );
      });
      this.pending.set(id, { resolve, reject, stopTimer });
      this.socket.send(frame);
    });
  }

  end(reason: string): void {
    this.socket.end(reason);
  }

  private receive(frame: Uint8Array): void {
    this.unanswered = 0;
    this.guard.received(frame.byteLength);
    const event = eventOfFrame(frame);
    if (event !== undefined && (!isToldEvent(event) || !this.parts.wants(event))) return;
    let message: unknown;
    try {
      message = decodeWire(frame);
    } catch (thrown) {
      this.socket.end(`It sends what is not Sluice's protocol: ${SluiceError.from(thrown).message}`);
      return;
    }
    this.read(message);
  }

  private read(message: unknown): void {
    if (typeof message === 'object' && message !== null && 'event' in message) {
      const { event, payload } = message as { event: unknown; payload?: unknown };
      if (!isToldEvent(event) || !this.parts.wants(event)) return;
      const fault = faultOfEvent(event, payload);
      if (fault === undefined) this.parts.onEvent(event, payload);
      else this.parts.note(`told what can't be: ${fault}`);
      return;
    }
    const parsed = replySchema.safeParse(message);
    if (!parsed.success) {
      this.parts.note('sent a message that is neither reply nor event');
      return;
    }
    const { id, reply } = parsed.data;
    const waiting = this.pending.get(id);
    if (!waiting) return; // answered too late
    this.pending.delete(id);
    waiting.stopTimer();
    if (reply.ok) waiting.resolve(reply.value);
    else {
      const { code, message: text, details } = reply.error;
      waiting.reject(new SluiceError(code as ErrorCode, text, details));
    }
  }

  private ping(): void {
    if (this.hasEnded || this.pingEveryMs === Infinity) return;
    if (this.unanswered >= PINGS_UNANSWERED) {
      this.socket.end(`It hangs: ${PINGS_UNANSWERED} signs of life in a row stayed away.`);
      return;
    }
    this.unanswered += 1;
    this.pingedMs ??= this.parts.clock.nowMs();
    this.socket.ping();
    this.stopPing = this.parts.clock.after(this.pingEveryMs, () => this.ping());
  }

  private pong(): void {
    this.unanswered = 0;
    if (this.pingedMs === undefined) return;
    this.parts.onRoundTrip(this.parts.clock.nowMs() - this.pingedMs);
    this.pingedMs = undefined;
  }

  private ended(end: Parameters<BoxSocketEvents['onEnd']>[0]): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.stopPing?.();
    this.guard.close();
    for (const { reject, stopTimer } of this.pending.values()) {
      stopTimer();
      reject(gone(end.reason));
    }
    this.pending.clear();
    this.parts.onEnd(end);
  }
}

function gone(reason: string): SluiceError {
  return new SluiceError('engine-down', `The box is away: ${reason}`);
}
