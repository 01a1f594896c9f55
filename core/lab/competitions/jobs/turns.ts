/** What a job is, for whom it may run beside. */
export type JobKind = 'inference' | 'evaluation';

interface Waiter {
  readonly kind: JobKind;
  readonly enter: () => void;
}

/**
 * Keeps inferences and evaluations apart: while one kind runs, the other waits. First come, first served, so that
 * neither waits forever.
 */
export class Turns {
  private readonly inside = new Map<string, JobKind>();
  private waiting: readonly Waiter[] = [];

  /** Takes part at once: a job that runs since before this process began. */
  retake(key: string, kind: JobKind): void {
    this.inside.set(key, kind);
  }

  /** Resolves when nothing of the other kind runs; `leave` must follow. Of a key that is inside nothing happens. */
  enter(key: string, kind: JobKind): Promise<void> {
    if (this.inside.has(key)) return Promise.resolve();
    return new Promise((resolve) => {
      const enter = (): void => {
        this.inside.set(key, kind);
        resolve();
      };
      this.waiting = [...this.waiting, { kind, enter }];
      this.admit();
    });
  }

  leave(key: string): void {
    this.inside.delete(key);
    this.admit();
  }

  private admit(): void {
    for (;;) {
      const [next, ...others] = this.waiting;
      if (!next || [...this.inside.values()].some((kind) => kind !== next.kind)) return;
      this.waiting = others;
      next.enter();
    }
  }
}
