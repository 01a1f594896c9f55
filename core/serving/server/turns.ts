import { SluiceError } from '../../contract';
import { RequestQueue } from './request-queue';
import type { QueueState } from './request-queue';

/** Turns at one queue. What was accepted is answered, unless a drain has lasted long enough. */
export class Turns {
  private readonly queue: RequestQueue;
  /** Of the requests accepted and not answered. */
  private readonly active = new Set<AbortController>();
  /** A drain has lasted long enough. */
  private isAbandoned = false;

  /** @param capacity requests that may wait. */
  constructor(capacity: number, nowMs: () => number) {
    this.queue = new RequestQueue(capacity, nowMs);
  }

  get state(): QueueState {
    return this.queue.state;
  }

  /** @throws SluiceError as `take` would now for want of room. */
  checkRoom(): void {
    this.queue.checkRoom();
  }

  /**
   * @param signal aborts when whoever asked is gone.
   * @param work gets the time the request waited, and a signal that aborts when nobody waits for it any more.
   * @throws SluiceError `overloaded`, `cancelled`, `unavailable` (the queue drains, or it was abandoned), and what the
   *   work throws.
   */
  async take<T>(
    signal: AbortSignal,
    work: (waitedMs: number, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const request = new AbortController();
    const stop = (): void => request.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    this.active.add(request);
    try {
      return await this.queue.run((waitedMs) => work(waitedMs, request.signal), request.signal);
    } catch (cause) {
      if (!this.isAbandoned || signal.aborted) throw cause;
      throw new SluiceError(
        'unavailable',
        'The server shut down before the answer was there; ask another endpoint.',
        {},
        { cause },
      );
    } finally {
      this.active.delete(request);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Work of the server's own, after what was accepted so far; nothing runs meanwhile. @throws what the work throws. */
  between<T>(work: () => Promise<T>): Promise<T> {
    return this.queue.runAnyway(work, new AbortController().signal);
  }

  /** Accepts nothing more. Resolves when everything accepted is answered, or was abandoned after `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.isAbandoned = true;
      for (const request of this.active) request.abort();
    }, patienceMs);
    await this.queue.drain();
    clearTimeout(timer);
  }
}
