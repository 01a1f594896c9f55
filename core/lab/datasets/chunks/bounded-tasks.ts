/**
 * Runs tasks beside one another, a few at once. After one has failed no further one starts, and its error comes out of
 * the next `start` or of `finish`.
 */
export class BoundedTasks {
  private readonly running = new Set<Promise<void>>();
  private failure: { readonly cause: unknown } | undefined;

  constructor(private readonly limit: number) {}

  /** Waits for a free place and starts the task in it; resolves when it has begun. @throws what a task threw. */
  async start(task: () => Promise<void>): Promise<void> {
    while (this.running.size >= this.limit) await Promise.race(this.running);
    this.rethrow();
    const done: Promise<void> = task()
      .catch((cause: unknown) => {
        this.failure ??= { cause };
      })
      .finally(() => this.running.delete(done));
    this.running.add(done);
  }

  /** Waits for all. @throws what the first that failed threw. */
  async finish(): Promise<void> {
    await this.settle();
    this.rethrow();
  }

  /** Waits for all, whether they fail or not. */
  async settle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private rethrow(): void {
    if (this.failure) throw this.failure.cause;
  }
}
