import type { Clock } from '../../../base';
import type { JobStatus } from '../job-engine';

/** Asks for the statuses of jobs again and again, while anybody listens, and tells which have changed. */
export class StatusWatch {
  private readonly listeners = new Set<(key: string) => void>();
  private readonly told = new Map<string, string>();
  private cancel: (() => void) | undefined;

  /** @param look gives the jobs that have not ended, and those that have since the last look; it may throw. */
  constructor(
    private readonly look: () => Promise<ReadonlyMap<string, JobStatus>>,
    private readonly clock: Clock,
    private readonly pollMs: number,
  ) {}

  add(onChange: (key: string) => void): () => void {
    // Two callers may hand in the same function.
    const listener = (key: string): void => onChange(key);
    this.listeners.add(listener);
    if (this.listeners.size === 1) void this.poll();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  }

  close(): void {
    this.listeners.clear();
    this.stop();
  }

  private stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private async poll(): Promise<void> {
    try {
      for (const [key, status] of await this.look()) {
        const now = JSON.stringify(status);
        if (this.told.get(key) === now) continue;
        this.told.set(key, now);
        for (const listener of this.listeners) listener(key);
      }
    } catch {
      // Who asks for statuses is told why there are none; the next look may find the cluster back.
    }
    if (this.listeners.size === 0) return;
    this.stop();
    this.cancel = this.clock.after(this.pollMs, () => void this.poll());
  }
}
