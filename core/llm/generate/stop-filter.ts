/**
 * Lets text through up to a stop string, however both are cut into pieces: what may be the beginning of a stop string
 * waits. Of several stop strings that one counts whose end comes first, and of those with the same end the longest.
 */
export class StopFilter {
  private waiting = '';
  private readonly stops: readonly string[];
  private readonly longest: number;
  private hasStopped = false;

  /** @param stops empty ones are ignored. */
  constructor(stops: readonly string[]) {
    this.stops = stops.filter((stop) => stop !== '');
    this.longest = Math.max(0, ...this.stops.map((stop) => stop.length));
  }

  get stopped(): boolean {
    return this.hasStopped;
  }

  /** @returns what is certainly before any stop string; '' once stopped. */
  push(text: string): string {
    if (this.hasStopped) return '';
    this.waiting += text;
    const match = this.firstMatch();
    if (match !== undefined) {
      this.hasStopped = true;
      return this.take(match);
    }
    return this.take(this.waiting.length - this.heldLength());
  }

  /** What waited for the rest of a stop string that never came. */
  end(): string {
    return this.hasStopped ? '' : this.take(this.waiting.length);
  }

  private take(length: number): string {
    const text = this.waiting.slice(0, length);
    this.waiting = this.waiting.slice(length);
    return text;
  }

  /** Where the stop string begins that ends first. */
  private firstMatch(): number | undefined {
    let found: { readonly start: number; readonly end: number } | undefined;
    for (const stop of this.stops) {
      const start = this.waiting.indexOf(stop);
      if (start < 0) continue;
      const end = start + stop.length;
      if (!found || end < found.end || (end === found.end && start < found.start)) found = { start, end };
    }
    return found?.start;
  }

  /** Length of the longest end of the text that a stop string begins with. */
  private heldLength(): number {
    for (let length = Math.min(this.longest - 1, this.waiting.length); length > 0; length -= 1) {
      const end = this.waiting.slice(-length);
      if (this.stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
