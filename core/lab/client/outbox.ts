/** What MLflow's servers take in one call at most (mlflow/utils/validation.py). */
const MOST_ENTITIES = 1000;
const MOST_PAIRS = 100;

export type Entry =
  | {
      readonly kind: 'metric';
      readonly key: string;
      readonly value: number;
      readonly step: number;
      readonly timestampMs: number;
    }
  | { readonly kind: 'param' | 'tag'; readonly key: string; readonly value: string };

/** Entries that wait to be sent, in the order in which they were logged. */
export class Outbox {
  private entries: Entry[] = [];

  get size(): number {
    return this.entries.length;
  }

  add(entry: Entry): void {
    this.entries.push(entry);
  }

  /** As many of the first as one call takes, at most `most`. They stay until `drop`. */
  first(most = MOST_ENTITIES): readonly Entry[] {
    const pairs = { param: new Set<string>(), tag: new Set<string>() };
    const end = Math.min(this.entries.length, most, MOST_ENTITIES);
    for (let count = 0; count < end; count += 1) {
      const { kind, key } = this.entries[count]!;
      if (kind === 'metric') continue;
      // A key again is another call: servers take the values of one in any order.
      if (pairs[kind].has(key) || pairs[kind].size === MOST_PAIRS) return this.entries.slice(0, count);
      pairs[kind].add(key);
    }
    return this.entries.slice(0, end);
  }

  /** @param count of the first. */
  drop(count: number): void {
    this.entries = this.entries.slice(count);
  }
}

/** The body of `runs/log-batch`. */
export function batchJson(runId: string, entries: readonly Entry[]): string {
  const pairsOf = (kind: 'param' | 'tag'): readonly object[] =>
    entries.flatMap((entry) => (entry.kind === kind ? [{ key: entry.key, value: entry.value }] : []));
  return JSON.stringify({
    run_id: runId,
    metrics: entries.flatMap((entry) =>
      entry.kind === 'metric'
        ? [{ key: entry.key, value: doubleOf(entry.value), step: entry.step, timestamp: entry.timestampMs }]
        : [],
    ),
    params: pairsOf('param'),
    tags: pairsOf('tag'),
  });
}

/** JSON has no NaN and no infinities; Protocol Buffers' mapping to it has them as texts. */
function doubleOf(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
