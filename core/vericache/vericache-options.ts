import type { RoundRecord } from '../contract';
import type { Decoder, SamplingOptions } from '../llm';
import type { OrtEnvironment } from '../ort';
import type { Compressor } from './compressor';
import type { FullCache } from './full-cache';

/** Gives tokens that may follow, cheaply: repetitions of earlier text, or another model's guess. */
export interface Proposer {
  readonly name: string;
  /** Memory it takes, bytes, beside the budget of the caches. Absent: nothing to speak of. */
  readonly memoryBytes?: number;
  /** Takes in a text before drafts follow it: a long one would pass for the cost of a draft. */
  prepare?(text: readonly number[], signal?: AbortSignal): Promise<void>;
  /**
   * Called again when the last call has ended.
   * @param text all tokens so far. @returns up to `limit` tokens that may follow it.
   */
  propose(
    text: readonly number[],
    limit: number,
    signal?: AbortSignal,
  ): readonly number[] | Promise<readonly number[]>;
}

/** What may change between two rounds at no cost. */
export interface DraftSettings {
  /** 1 to 63; `auto` follows acceptance, draft cost and swap time. */
  readonly draftLength: number | 'auto';
  /** Asked in order; the first that proposes anything is listened to. */
  readonly proposers: readonly Proposer[];
}

/** The compressed cache, and what it is for. */
export interface CompressionSettings {
  readonly compressor: Compressor;
  /** Bytes of the full cache over those of the compressed one. */
  readonly ratio: number;
  /** False: its tokens are given out unverified. */
  readonly verify: boolean;
}

/** What may change between two rounds; the caches are then made anew. */
export interface CacheSettings {
  /** Without it every step attends to the full cache, read each time. */
  readonly compression?: CompressionSettings;
  /** Memory of all caches together, bytes; 0: as little as works well. */
  readonly budgetBytes: number;
  /** The longest text there can be. */
  readonly maxTokens: number;
}

export interface VericacheOptions extends DraftSettings, CacheSettings {
  readonly environment: OrtEnvironment;
  readonly decoder: Decoder;
  /** Holds the beginning of a text, or nothing. Its owner closes it. */
  readonly fullCache: FullCache;
  /** The text of the blocks in `fullCache`. */
  readonly storedText: readonly number[];
  readonly sampling?: SamplingOptions;
  /** A draft ends at them. */
  readonly endTokens?: ReadonlySet<number>;
  readonly onRound?: (round: RoundRecord) => void;
  readonly nowMs?: () => number;
}
