import type { BatchOfRun, TrackingStore } from './tracking-store';

interface Waiting {
  readonly batch: BatchOfRun;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Batches that arrive together share one commit. Each caller hears of its own once it is safe. */
export class GroupCommit {
  private waiting: Waiting[] = [];

  constructor(private readonly store: TrackingStore) {}

  /** @throws SluiceError as `TrackingStore.logBatch`. */
  log(batch: BatchOfRun): Promise<void> {
    return new Promise((resolve, reject) => {
      // After the events at hand, whose requests may bring more.
      if (this.waiting.length === 0) setImmediate(() => this.commit());
      this.waiting.push({ batch, resolve, reject });
    });
  }

  private commit(): void {
    const group = this.waiting;
    this.waiting = [];
    try {
      const failures = this.store.logBatches(group.map(({ batch }) => batch));
      group.forEach(({ resolve, reject }, index) => {
        const failure = failures[index];
        if (failure) reject(failure);
        else resolve();
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
