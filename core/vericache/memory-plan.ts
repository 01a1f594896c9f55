import { formatBytes } from '../base';
import { SluiceError } from '../contract';
import { layerRowsBytes, wholeSteps, type HeadShape } from '../llm';
import { largePageMemoryBytes, nativeMemoryBytes } from '../ort';
import { BLOCK_TOKENS } from './full-cache';

/** Tokens of the longest verification: a draft, and the token before it. */
export const MAX_ROUND_TOKENS = 64;
/**
 * Rows of the full cache's newest tokens: one block being written, one filling up, and a round on top of each, because
 * a block leaves a round after it was written.
 */
export const TAIL_ROWS = 2 * BLOCK_TOKENS + 2 * MAX_ROUND_TOKENS;
/** One layer is attended to, one is written to, one is on its way. */
const RING_SLOTS = 3;
const FEWEST_SLOTS = 2;
const LARGE_SLOT_BYTES = 2 << 20;

export interface MemoryDemand {
  readonly shape: HeadShape;
  readonly layers: number;
  readonly maxTokens: number;
  readonly compressedBytes: number;
  /** Attention received so far, of compressors that observe all of it. */
  readonly observedBytes: number;
  /** 0: as little as works well. */
  readonly budgetBytes: number;
}

/** How fast memory is shared out. */
export interface MemoryPlan {
  /** Rows of a slot, a multiple of `CACHE_STEP_ROWS`. */
  readonly slotRows: number;
  /** Slots that layers stream through; 0 when every layer is resident. */
  readonly ringSlots: number;
  /** By layer: whether it stays in memory. Spread out, so that reads go on while resident layers compute. */
  readonly resident: readonly boolean[];
  readonly slotBytes: number;
  /** The newest tokens of every layer, and keys and values of a round. */
  readonly tailBytes: number;
  readonly totalBytes: number;
  readonly budgetBytes: number;
}

/** @throws SluiceError `budget-too-small` with the least budget that works. */
export function planMemory(demand: MemoryDemand): MemoryPlan {
  const { shape, layers, maxTokens, compressedBytes, observedBytes, budgetBytes } = demand;
  const slotRows = wholeSteps(maxTokens + MAX_ROUND_TOKENS);
  const slotBytes = slotMemory(shape, slotRows).bytes;
  const roundBytes = layerRowsBytes(shape, MAX_ROUND_TOKENS);
  const tailBytes = layers * (nativeMemoryBytes(layerRowsBytes(shape, TAIL_ROWS)) + roundBytes);
  const fixedBytes = compressedBytes + observedBytes + tailBytes;
  const wanted =
    budgetBytes === 0 ? Math.min(layers, RING_SLOTS) : Math.floor((budgetBytes - fixedBytes) / slotBytes);
  const slots = Math.min(layers, wanted);
  const fewest = Math.min(layers, FEWEST_SLOTS);
  if (slots < fewest) {
    const minimumBytes = fixedBytes + fewest * slotBytes;
    throw new SluiceError(
      'budget-too-small',
      `The caches of ${maxTokens} tokens take ${formatBytes(minimumBytes)} at least ` +
        `(${formatBytes(compressedBytes)} compressed); the budget is ${formatBytes(budgetBytes)}. ` +
        'Give more, compress more, or shorten the text.',
      { minimumBytes, budgetBytes },
    );
  }
  const residents = slots === layers ? layers : slots - Math.min(slots, RING_SLOTS);
  const totalBytes = fixedBytes + slots * slotBytes;
  return {
    slotRows,
    ringSlots: slots - residents,
    resident: spread(residents, layers),
    slotBytes,
    tailBytes,
    totalBytes,
    budgetBytes: budgetBytes === 0 ? totalBytes : budgetBytes,
  };
}

/** How the memory of a slot is allocated. Large pages are for large slots: a small one would mostly be rounding. */
export function slotMemory(
  shape: HeadShape,
  rows: number,
): { readonly pages: 'small' | 'large'; readonly bytes: number } {
  const wanted = layerRowsBytes(shape, rows);
  return wanted >= LARGE_SLOT_BYTES
    ? { pages: 'large', bytes: largePageMemoryBytes(wanted) }
    : { pages: 'small', bytes: nativeMemoryBytes(wanted) };
}

/** `count` of `length` places, evenly. */
function spread(count: number, length: number): boolean[] {
  return Array.from(
    { length },
    (_, place) => Math.floor(((place + 1) * count) / length) > Math.floor((place * count) / length),
  );
}
