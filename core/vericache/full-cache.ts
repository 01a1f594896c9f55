import { SluiceError } from '../contract';
import type { LayerRows } from '../llm';

/** The full cache leaves fast memory in whole blocks of so many tokens; the last ones stay in memory until then. */
export const BLOCK_TOKENS = 128;

/** A read under way. */
export interface LayerRead {
  /** All of it has come and was checked, without waiting for the event loop; stays false when the read fails. */
  readonly isDone: boolean;
  /** Rejects with `corrupt-store` naming layer and block, `io`, or `unavailable` (remote). */
  readonly done: Promise<void>;
}

/**
 * Keys and values of every token, as the verifier computed them, outside fast memory: on SSD, or on another node.
 * One writer; reads may go on while others are written.
 */
export interface FullCache {
  /** Of whole blocks that can be read: `tokens = blocks * BLOCK_TOKENS`. */
  readonly blocks: number;
  /** Starts to read the first `blocks` blocks of a layer into the first rows of `target`, every block checked. */
  read(layer: number, blocks: number, target: LayerRows): LayerRead;
  /**
   * Writes blocks `from` to `to` of a layer from the rows of `source` that begin at `row`. The rows must stay as they
   * are until it resolves. They count once `commit` has been told.
   * @throws SluiceError `io` (disk full: what was committed stays readable), `unavailable`.
   */
  write(layer: number, from: number, to: number, source: LayerRows, row: number): Promise<void>;
  /**
   * Every layer has been written up to `blocks`: from now on they count, and survive the process.
   * @param tokens of the blocks that count from now on, in order: `BLOCK_TOKENS` a block.
   * @throws SluiceError `io` (disk full), `unavailable`: what counted before still does, and it may be tried again.
   */
  commit(blocks: number, tokens: readonly number[]): Promise<void>;
  /** Forgets blocks from `blocks` on. */
  truncate(blocks: number): Promise<void>;
  close(): Promise<void>;
}

/** The first block that a full cache says it can't give any more: damaged, or on a node that is gone. */
export function lostBlock(error: unknown): number | undefined {
  if (!(error instanceof SluiceError)) return undefined;
  if (error.code !== 'corrupt-store' && error.code !== 'unavailable') return undefined;
  const { block } = error.details;
  return typeof block === 'number' ? block : undefined;
}
