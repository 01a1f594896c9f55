/** Doubling stops here, unless it is told otherwise: what failed for long is tried again once in so many waits. */
const MOST_DOUBLINGS = 4;

interface Failure {
  sinceMs: number;
  readonly inARow: number;
}

/**
 * Leaves alone what failed, for a time that doubles with each failure in a row. A clock that jumped back starts the time
 * anew.
 */
export class FailureBackoff<Key> {
  private readonly failures = new Map<Key, Failure>();
  private readonly out = new Set<Key>();

  /**
   * @param retryAfterMs the first wait.
   * @param clockMs milliseconds; may jump.
   */
  constructor(
    private readonly retryAfterMs: number,
    private readonly clockMs: () => number,
    private readonly mostDoublings = MOST_DOUBLINGS,
  ) {}

  failed(key: Key): void {
    const inARow = (this.failures.get(key)?.inARow ?? 0) + 1;
    this.failures.set(key, { sinceMs: this.clockMs(), inARow });
    this.out.add(key);
  }

  /** It is all right again. @returns whether it was left alone until now. */
  answered(key: Key): boolean {
    this.failures.delete(key);
    return this.out.delete(key);
  }

  isOut(key: Key): boolean {
    return this.out.has(key);
  }

  /** Those whose time is over; they may be tried, and are left alone until they answer. */
  due(): readonly Key[] {
    if (this.out.size === 0) return [];
    const nowMs = this.clockMs();
    return [...this.out].filter((key) => this.isDue(key, nowMs));
  }

  /** As `due`, and they are no longer left alone; a further failure doubles their time. */
  takeBack(): readonly Key[] {
    const due = this.due();
    for (const key of due) this.out.delete(key);
    return due;
  }

  private isDue(key: Key, nowMs: number): boolean {
    const failure = this.failures.get(key);
    if (!failure) return true;
    if (nowMs < failure.sinceMs) failure.sinceMs = nowMs;
    const waitMs = this.retryAfterMs * 2 ** Math.min(this.mostDoublings, failure.inARow - 1);
    return nowMs - failure.sinceMs >= waitMs;
  }
}
