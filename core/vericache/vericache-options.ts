import type { RoundRecord } from '../contract';
import type { Decoder, SamplingOptions } from '../llm';
import type { OrtEnvironment } from '../ort';
import type { Compressor } from './compressor';
import type { FullCache } from './full-cache';

/** Gives tokens that may follow, cheaply: repetitions of earlier text, or another model's guess. */
export interface Proposer {
  readonly name: string;
  /** @param text all tokens so far. @returns up to `limit` tokens that may follow it. */
  propose(text: readonly number[], limit: number): readonly number[] | Promise<readonly number[]>;
}

/** What may change between two rounds. */
export interface DraftSettings {
  /** 1 to 63; `auto` follows acceptance, draft cost and swap time. */
  readonly draftLength: number | 'auto';
  /** Asked in order; the first that proposes anything is listened to. */
  readonly proposers: readonly Proposer[];
}

export interface VericacheOptions extends DraftSettings {
  readonly environment: OrtEnvironment;
  readonly decoder: Decoder;
  /** Holds the beginning of the text already, or nothing. Its owner closes it. */
  readonly fullCache: FullCache;
  /** The text in `fullCache`, whole blocks of it. */
  readonly storedText: readonly number[];
  /** Without one every step attends to the full cache, read each time: the baseline. */
  readonly compressor?: Compressor;
  readonly ratio: number;
  /** Memory of all caches together, bytes; 0: as little as works well. */
  readonly budgetBytes: number;
  /** The longest text there can be. */
  readonly maxTokens: number;
  readonly sampling?: SamplingOptions;
  readonly onRound?: (round: RoundRecord) => void;
  readonly nowMs?: () => number;
}
