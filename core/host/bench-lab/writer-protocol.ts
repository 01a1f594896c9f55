/** Where a writer logs: a lab, or whatever else takes MLflow's `runs/log-batch`. */
export interface WriteTarget {
  /** `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly runId: string;
  /** Batches that were acknowledged before: steps go on from there. */
  readonly firstBatch: number;
}

export type WriterCommand =
  /** Writes for a time, or (`ms` absent) until the server is gone. */
  { readonly kind: 'write'; readonly target: WriteTarget; readonly ms?: number } | { readonly kind: 'close' };

export interface Written {
  /** Acknowledged in this command. */
  readonly batches: number;
  /** Answers other than 200; the batch was sent again. */
  readonly refused: number;
  readonly elapsedMs: number;
}

export const BATCH_POINTS = 1000;
export const KEYS: readonly string[] = Array.from({ length: 10 }, (_, index) => `metric-${index}`);
/** Each batch has as many steps of every key. */
export const BATCH_STEPS = BATCH_POINTS / KEYS.length;
