import { SluiceError } from '../../contract';

/** Weight of the newest request in the running mean of service times. */
const NEWEST_SHARE = 0.2;
/** Nobody is sent away for longer: models that slow are rare, and clocks that jumped (a machine that slept) are not. */
const LONGEST_RETRY_SEC = 120;

/** How much is waiting, for those who decide where to send a request. */
export interface QueueState {
  /** Requests accepted and not begun. */
  readonly waiting: number;
  /** Whether one is being answered. */
  readonly isBusy: boolean;
  /** How many may wait. */
  readonly capacity: number;
}

/**
 * Requests in the order they came, one at a time (the engine runs one inference at a time whatever the model), and no
 * more than `capacity` waiting. What was accepted is answered, also while the queue is draining.
 */
export class RequestQueue {
  private readonly waiting: { readonly begin: () => void }[] = [];
  private isBusy = false;
  private isDraining = false;
  private meanServiceMs = 0;
  private onIdle: (() => void)[] = [];

  constructor(
    private readonly capacity: number,
    private readonly nowMs: () => number,
  ) {}

  get state(): QueueState {
    return { waiting: this.waiting.length, isBusy: this.isBusy, capacity: this.capacity };
  }

  /**
   * @param work gets the time the request waited.
   * @throws SluiceError `overloaded` (details.retryAfterSec) when the queue is full, `unavailable` while it drains,
   *   `cancelled` when the signal aborts before the work began; and what the work throws.
   */
  async run<T>(work: (waitedMs: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    this.checkRoom();
    return this.runAnyway(work, signal);
  }

  /** As `run`, whatever the room: what the server itself has to do after the requests it has accepted. */
  async runAnyway<T>(work: (waitedMs: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    const enteredMs = this.nowMs();
    await this.enter(signal);
    const begunMs = this.nowMs();
    try {
      return await work(Math.max(0, begunMs - enteredMs));
    } finally {
      this.learn(Math.max(0, this.nowMs() - begunMs));
      this.leave();
    }
  }

  /** @throws SluiceError `overloaded`, `unavailable` as `run` would at this moment. */
  checkRoom(): void {
    if (this.isDraining) {
      throw new SluiceError('unavailable', 'The server is shutting down; ask another endpoint.');
    }
    if (!this.isBusy || this.waiting.length < this.capacity) return;
    const waitSec = Math.ceil((this.meanServiceMs * (this.waiting.length + 1)) / 1000);
    const retryAfterSec = Math.min(LONGEST_RETRY_SEC, Math.max(1, waitSec));
    throw new SluiceError(
      'overloaded',
      `The queue is full: ${this.capacity} requests wait. Try again in ${retryAfterSec} s or ask another endpoint.`,
      { capacity: this.capacity, retryAfterSec },
    );
  }

  /** Accepts nothing more. Resolves when everything accepted has been answered. */
  drain(): Promise<void> {
    this.isDraining = true;
    if (!this.isBusy) return Promise.resolve();
    return new Promise((resolve) => this.onIdle.push(resolve));
  }

  private enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(gone());
    if (!this.isBusy) {
      this.isBusy = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.waiting.splice(this.waiting.indexOf(ticket), 1);
        reject(gone());
      };
      const ticket = {
        begin: (): void => {
          signal.removeEventListener('abort', cancel);
          resolve();
        },
      };
      signal.addEventListener('abort', cancel, { once: true });
      this.waiting.push(ticket);
    });
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) {
      next.begin();
      return;
    }
    this.isBusy = false;
    for (const resolve of this.onIdle) resolve();
    this.onIdle = [];
  }

  private learn(serviceMs: number): void {
    const share = this.meanServiceMs === 0 ? 1 : NEWEST_SHARE;
    this.meanServiceMs += share * (serviceMs - this.meanServiceMs);
  }
}

function gone(): SluiceError {
  return new SluiceError('cancelled', 'Whoever asked is gone.');
}
