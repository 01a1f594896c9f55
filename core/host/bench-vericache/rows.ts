import { median } from '../../base';
import type { RoundRecord } from '../../contract';

export type SideName = 'full-memory' | 'full-ssd' | 'lossy' | 'vericache' | 'vericache-lookup';

export interface Side {
  readonly side: SideName;
  readonly compressor?: string;
}

/** One reply of one side. */
export interface SideRun {
  readonly tokens: readonly number[];
  readonly decodeMs: number;
  readonly rounds: readonly RoundRecord[];
  readonly fastMemoryBytes: number;
  readonly budgetBytes: number;
}

/** One side at one context; medians over its replies. */
export interface VericacheRow extends Side {
  readonly contextTokens: number;
  /** Bytes of the full cache over those of the compressed one; 1 without. */
  readonly ratio: number;
  readonly tokensPerSec: number;
  readonly tokensPerSecRange: readonly [least: number, most: number];
  /** Allocated for caches: compressed, resident, streamed, newest tokens. */
  readonly fastMemoryBytes: number;
  readonly budgetBytes: number;
  /** Of the full cache, all layers. */
  readonly fullCacheBytes: number;
  readonly rounds: number;
  readonly draftedPerRound: number;
  readonly acceptedPerRound: number;
  /** Time of a reply that went into drafts, waits for the full cache, verification. */
  readonly draftMs: number;
  readonly swapMs: number;
  readonly verifyMs: number;
  readonly readBytesPerToken: number;
  /** Whether every token was that of the full cache in memory. */
  readonly exact: boolean;
}

export function toRow(
  side: Side,
  facts: { readonly contextTokens: number; readonly ratio: number; readonly fullCacheBytes: number },
  runs: readonly SideRun[],
  expected: readonly number[],
): VericacheRow {
  const rates = runs.map(({ tokens, decodeMs }) => ((tokens.length - 1) * 1000) / decodeMs);
  const sum = (of: (round: RoundRecord) => number): number =>
    median(runs.map(({ rounds }) => rounds.reduce((total, round) => total + of(round), 0)));
  const rounds = median(runs.map((run) => run.rounds.length));
  const [first] = runs;
  return {
    ...side,
    ...facts,
    tokensPerSec: round(median(rates)),
    tokensPerSecRange: [round(Math.min(...rates)), round(Math.max(...rates))],
    fastMemoryBytes: Math.max(...runs.map(({ fastMemoryBytes }) => fastMemoryBytes)),
    budgetBytes: first?.budgetBytes ?? 0,
    rounds,
    draftedPerRound: rounds === 0 ? 0 : round(sum(({ drafted }) => drafted) / rounds),
    acceptedPerRound: rounds === 0 ? 0 : round(sum(({ accepted }) => accepted) / rounds),
    draftMs: round(sum(({ draftMs }) => draftMs)),
    swapMs: round(sum(({ swapMs }) => swapMs)),
    verifyMs: round(sum(({ verifyMs }) => verifyMs)),
    readBytesPerToken: Math.round(sum(({ readBytes }) => readBytes) / Math.max(1, expected.length)),
    exact: runs.every(({ tokens }) => tokens.every((token, index) => token === expected[index])),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
