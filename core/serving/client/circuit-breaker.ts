import { SluiceError } from '../../contract';

/** `closed`: requests go out. `open`: none do. `half-open`: one goes out to see whether the endpoint is back. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open before a trial. */
  readonly openMs: number;
  /** Milliseconds; may jump. */
  readonly nowMs: () => number;
}

/** What a request that was let through turned out to be. */
export interface Permit {
  succeeded(): void;
  failed(): void;
  /** It tells nothing about the endpoint: the caller gave it up, or was at fault. */
  abandoned(): void;
}

/** Keeps requests from an endpoint that failed several times in a row, until a single trial succeeds. */
export class CircuitBreaker {
  private failuresInRow = 0;
  private openedMs: number | undefined;
  private isTrying = false;

  constructor(private readonly options: BreakerOptions) {}

  get state(): BreakerState {
    if (this.openedMs === undefined) return 'closed';
    return this.waitMs > 0 ? 'open' : 'half-open';
  }

  /**
   * @param where names the endpoint in the error.
   * @throws SluiceError `unavailable` (details.retryAfterMs) while it is open, or while a trial is under way.
   */
  enter(where: string): Permit {
    const { state } = this;
    if (state === 'open' || (state === 'half-open' && this.isTrying)) {
      const retryAfterMs = Math.ceil(this.waitMs);
      const until = state === 'open' ? `is left alone for ${retryAfterMs} ms more` : 'is being tried';
      throw new SluiceError(
        'unavailable',
        `${where} failed ${this.failuresInRow} times in a row and ${until}; use another endpoint.`,
        { retryAfterMs },
      );
    }
    const isTrial = state === 'half-open';
    if (isTrial) this.isTrying = true;
    return this.permit(isTrial);
  }

  /** What a health probe found, which may go out at any time. */
  probed(isUp: boolean): void {
    if (isUp) this.close();
    else this.fail();
  }

  private permit(isTrial: boolean): Permit {
    let isOpen = true;
    const once = (then: () => void) => (): void => {
      if (!isOpen) return;
      isOpen = false;
      if (isTrial) this.isTrying = false;
      then();
    };
    return {
      succeeded: once(() => this.close()),
      failed: once(() => this.fail()),
      abandoned: once(() => undefined),
    };
  }

  private get waitMs(): number {
    if (this.openedMs === undefined) return 0;
    const nowMs = this.options.nowMs();
    // A clock that jumped back starts the time anew, instead of making it longer.
    this.openedMs = Math.min(this.openedMs, nowMs);
    return Math.max(0, this.openedMs + this.options.openMs - nowMs);
  }

  private close(): void {
    this.failuresInRow = 0;
    this.openedMs = undefined;
  }

  private fail(): void {
    this.failuresInRow += 1;
    if (this.failuresInRow >= this.options.failures) this.openedMs = this.options.nowMs();
  }
}
