const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** Steps of about the same length, told one by one with what is left of them. */
export class Progress {
  private done = 0;
  private readonly startMs: number;

  constructor(
    private readonly total: number,
    private readonly log: (message: string) => void,
    private readonly nowMs: () => number,
  ) {
    this.startMs = nowMs();
  }

  /** A step is over. */
  step(what: string): void {
    this.done += 1;
    const leftMs = ((this.nowMs() - this.startMs) / this.done) * (this.total - this.done);
    const left = this.done < this.total ? `, about ${durationOf(leftMs)} left` : '';
    this.log(`${what} (${this.done} of ${this.total}${left})`);
  }
}

function durationOf(ms: number): string {
  return ms < MINUTE_MS ? `${Math.ceil(ms / SECOND_MS)} s` : `${Math.ceil(ms / MINUTE_MS)} min`;
}
