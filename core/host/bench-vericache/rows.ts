import { median } from '../../base';
import type { RoundRecord } from '../../contract';

export type SideName =
  'full-memory' | 'full-ssd' | 'lossy' | 'vericache' | 'vericache-lookup' | 'remote-prefix';

export interface Side {
  readonly side: SideName;
  readonly compressor?: string;
  /** Asked of the compressor; absent: the bench's first. */
  readonly ratio?: number;
}

/** One reply of one side. */
export interface SideRun {
  readonly tokens: readonly number[];
  /** From opening the caches until the first token. */
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly rounds: readonly RoundRecord[];
  /** At the end of the reply, and the most there was after the prompt and after each round. */
  readonly fastMemoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly budgetBytes: number;
}

/** A reply beside that of the full cache in memory to the same prompt. */
export interface CheckedRun extends SideRun {
  /** Every token is the same. */
  readonly exact: boolean;
}

/** One side at one context. Times are medians over its replies, each about another passage of the text. */
export interface VericacheRow extends Side {
  readonly contextTokens: number;
  /** Bytes of the full cache over those of the compressed one; 1 without. */
  readonly ratio: number;
  /** Of all replies together: passages are more or less easy to draft. */
  readonly tokensPerSec: number;
  /** Of single replies. */
  readonly tokensPerSecRange: readonly [least: number, most: number];
  /** Allocated for caches: compressed, resident, streamed, newest tokens; the most at the end of a reply. */
  readonly fastMemoryBytes: number;
  /** The most at any time that was looked at: after the prompt, and after each round or step of every reply. */
  readonly peakMemoryBytes: number;
  /** `full-memory` may take anything: what it took when it was opened. */
  readonly budgetBytes: number;
  readonly peakWithinBudget: boolean;
  /** Of the full cache, all layers. */
  readonly fullCacheBytes: number;
  readonly rounds: number;
  readonly draftedPerRound: number;
  readonly acceptedPerRound: number;
  /** From the first token to the last. */
  readonly decodeMs: number;
  /** Of it: over the compressed cache. All of it, for `lossy`, which knows no rounds. */
  readonly draftMs: number;
  /** Waits for the full cache, from disk or network. */
  readonly swapMs: number;
  /** Passes over the full cache: a round's verification, or a step of plain decoding. */
  readonly verifyMs: number;
  /** The rest: writing to the full cache what was verified, and going from round to round. */
  readonly otherMs: number;
  readonly readBytesPerToken: number;
  /** Whether every token was that of the full cache in memory. */
  readonly exact: boolean;
  /** `remote-prefix` only: tokens of the prompt that were not computed here. */
  readonly remoteTokens?: number;
  /** From asking the node, which has the prompt's cache, until the first token. */
  readonly prefillMs?: number;
  /** The same with nothing there: the prompt computed here, into an empty cache on disk, by turns with the other. */
  readonly localPrefillMs?: number;
}

export function toRow(
  side: Side,
  facts: { readonly contextTokens: number; readonly ratio: number; readonly fullCacheBytes: number },
  runs: readonly CheckedRun[],
): VericacheRow {
  const rates = runs.map((run) => rateOf([run]));
  const total = ({ rounds }: SideRun, of: (round: RoundRecord) => number): number =>
    rounds.reduce((sum, round) => sum + of(round), 0);
  const sum = (of: (round: RoundRecord) => number): number => median(runs.map((run) => total(run, of)));
  const draftMs = (run: SideRun): number =>
    side.side === 'lossy' ? run.decodeMs : total(run, (round) => round.draftMs);
  const otherMs = (run: SideRun): number =>
    run.decodeMs - draftMs(run) - total(run, ({ swapMs, verifyMs }) => swapMs + verifyMs);
  const rounds = median(runs.map((run) => run.rounds.length));
  const peakMemoryBytes = Math.max(...runs.map((run) => run.peakMemoryBytes));
  const budgetBytes = Math.min(...runs.map((run) => run.budgetBytes));
  return {
    ...side,
    ...facts,
    tokensPerSec: round(rateOf(runs)),
    tokensPerSecRange: [round(Math.min(...rates)), round(Math.max(...rates))],
    fastMemoryBytes: Math.max(...runs.map(({ fastMemoryBytes }) => fastMemoryBytes)),
    peakMemoryBytes,
    budgetBytes,
    peakWithinBudget: peakMemoryBytes <= budgetBytes,
    rounds,
    draftedPerRound: rounds === 0 ? 0 : round(sum(({ drafted }) => drafted) / rounds),
    acceptedPerRound: rounds === 0 ? 0 : round(sum(({ accepted }) => accepted) / rounds),
    decodeMs: round(median(runs.map(({ decodeMs }) => decodeMs))),
    draftMs: round(median(runs.map(draftMs))),
    swapMs: round(sum(({ swapMs }) => swapMs)),
    verifyMs: round(sum(({ verifyMs }) => verifyMs)),
    otherMs: round(median(runs.map(otherMs))),
    readBytesPerToken: Math.round(
      median(runs.map((run) => total(run, ({ readBytes }) => readBytes) / run.tokens.length)),
    ),
    exact: runs.every(({ exact }) => exact),
  };
}

/** Tokens per second; the first token of a reply is the prompt's. */
function rateOf(runs: readonly SideRun[]): number {
  const tokens = runs.reduce((sum, run) => sum + run.tokens.length - 1, 0);
  return (tokens * 1000) / runs.reduce((sum, { decodeMs }) => sum + decodeMs, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
