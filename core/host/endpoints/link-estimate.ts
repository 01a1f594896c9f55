import { median } from '../../base';

const KEPT = 5;
const LEAST_KNOWN = 3;
/** Inputs that take longer than this to get there and back make a link weak ... */
const WEAK_ABOVE_MS = 80;
/** ... until they take less than this. */
const REGULAR_BELOW_MS = 60;

/** How long inputs take on the way to a server and its answers back, lately. */
export class LinkEstimate {
  private readonly roundTripsMs: number[] = [];
  private readonly transfers: { readonly ms: number; readonly bytes: number }[] = [];
  private isWeak = false;

  /** A request without a body took this long. */
  observeRoundTrip(ms: number): void {
    keep(this.roundTripsMs, ms);
    this.classify();
  }

  /** Inputs and answer of so many bytes spent so long on the way. */
  observe(ms: number, bytes: number): void {
    keep(this.transfers, { ms, bytes });
    this.classify();
  }

  /** Median of the last; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.roundTripsMs.length === 0 ? undefined : median(this.roundTripsMs);
  }

  /** What the link carried beside its round trips; undefined before the first. */
  get bytesPerSec(): number | undefined {
    if (this.transfers.length === 0) return undefined;
    const roundTripMs = Math.min(...this.roundTripsMs, Infinity);
    const rates = this.transfers.map(({ ms, bytes }) => {
      const carryingMs = Number.isFinite(roundTripMs) && ms > roundTripMs ? ms - roundTripMs : ms;
      return (bytes / Math.max(carryingMs, 0.001)) * 1000;
    });
    return median(rates);
  }

  get linkClass(): 'regular' | 'weak' {
    return this.isWeak ? 'weak' : 'regular';
  }

  private classify(): void {
    const transfersMs = this.transfers.map(({ ms }) => ms);
    const ms = Math.max(typical(this.roundTripsMs), typical(transfersMs));
    if (ms > WEAK_ABOVE_MS) this.isWeak = true;
    else if (ms < REGULAR_BELOW_MS) this.isWeak = false;
  }
}

/** Connecting and a server's first answer take longer than what follows: one or two say nothing yet. */
function typical(values: readonly number[]): number {
  return values.length < LEAST_KNOWN ? 0 : median(values);
}

function keep<T>(values: T[], value: T): void {
  values.push(value);
  if (values.length > KEPT) values.shift();
}
