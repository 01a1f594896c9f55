import { SluiceError } from '../contract';
import { LayerRows, type HeadShape } from '../llm';
import type { OrtEnvironment } from '../ort';
import { BLOCK_TOKENS, type FullCache, type LayerRead } from './full-cache';
import { slotMemory, type MemoryPlan } from './memory-plan';

const FLOAT_BYTES = 4;

/** Memory for one layer of the full cache. */
export interface Slot {
  readonly rows: LayerRows;
  /** First rows that are, or will be once `read` is done, those of the layer's first tokens. */
  valid: number;
  read: LayerRead | undefined;
  /** Writes to the full cache that still read from it; never rejects. */
  writes: Promise<void> | undefined;
}

/**
 * Which layers of the full cache are in fast memory: some stay, the others stream through a ring in the order in which a
 * pass needs them. Reads run ahead as far as the ring goes, also from the end of one pass into the next.
 */
export class LayerSlots {
  /** Bytes read so far. */
  readBytes = 0;
  private readonly slots: Slot[] = [];
  private readonly byLayer: (Slot | undefined)[];
  /** Layers that stream, in order. */
  private readonly streaming: readonly number[];

  constructor(
    environment: OrtEnvironment,
    private readonly shape: HeadShape,
    private readonly plan: MemoryPlan,
    private readonly fullCache: FullCache,
  ) {
    const slot = (): Slot => {
      const { pages } = slotMemory(shape, plan.slotRows);
      const rows = new LayerRows(environment, shape, plan.slotRows, pages);
      const made: Slot = { rows, valid: 0, read: undefined, writes: undefined };
      this.slots.push(made);
      return made;
    };
    this.byLayer = plan.resident.map((stays) => (stays ? slot() : undefined));
    this.streaming = plan.resident.flatMap((stays, layer) => (stays ? [] : [layer]));
    for (let index = 0; index < plan.ringSlots; index += 1) slot();
    for (const [layer, resident] of this.byLayer.entries()) if (resident) this.fill(layer, resident);
    this.restart();
  }

  get byteLength(): number {
    return this.slots.reduce((sum, { rows }) => sum + rows.byteLength, 0);
  }

  isResident(layer: number): boolean {
    return this.plan.resident[layer] === true;
  }

  /** Blocks that still go out from the memory where a layer is about to come in; undefined when there are none. */
  writesBefore(layer: number): Promise<void> | undefined {
    return this.byLayer[layer]?.writes;
  }

  of(layer: number): Slot {
    const slot = this.byLayer[layer];
    if (slot) return slot;
    throw new SluiceError('internal', `Layer ${layer} of the full cache is not in memory when it is needed.`);
  }

  /** A pass is through with a layer: its slot, unless it stays, takes the layer that comes that many later. */
  passed(layer: number): void {
    if (this.isResident(layer)) return;
    const next = this.streaming[this.streaming.indexOf(layer) + this.plan.ringSlots];
    if (next === undefined) return;
    const slot = this.of(layer);
    this.byLayer[layer] = undefined;
    this.byLayer[next] = slot;
    this.fill(next, slot);
  }

  /** A pass came to its end, or was given up: the first layers of the next one are read. */
  restart(): void {
    const ring = this.slots.slice(this.slots.length - this.plan.ringSlots);
    for (const layer of this.streaming) this.byLayer[layer] = undefined;
    for (const [index, slot] of ring.entries()) {
      const layer = this.streaming[index]!;
      this.byLayer[layer] = slot;
      this.fill(layer, slot);
    }
  }

  /** Waits for a layer's rows. What failed to be read ahead is read once more. @throws what the full cache throws. */
  async arrived(layer: number): Promise<void> {
    const slot = this.of(layer);
    try {
      await slot.read?.done;
    } catch {
      this.fill(layer, slot);
      await slot.read?.done;
    }
  }

  /** Tokens at `position` and on are no longer those of the slots that stay. */
  truncate(position: number): void {
    for (const slot of this.slots) slot.valid = Math.min(slot.valid, position);
  }

  /**
   * What slots hold can't be relied on: resident layers are read again as far as the full cache goes. Waits for reads
   * that are under way.
   */
  async reload(): Promise<void> {
    await this.idle();
    for (const [layer, slot] of this.byLayer.entries())
      if (slot && this.isResident(layer)) this.fill(layer, slot);
    this.restart();
  }

  /** Waits for what is under way, whatever comes of it, and frees everything. */
  async close(): Promise<void> {
    await this.idle();
    for (const { rows } of this.slots) rows.release();
  }

  private async idle(): Promise<void> {
    await Promise.allSettled(this.slots.map(async ({ read, writes }) => [await read?.done, await writes]));
  }

  private fill(layer: number, slot: Slot): void {
    const { blocks } = this.fullCache;
    const tokens = blocks * BLOCK_TOKENS;
    slot.valid = tokens;
    if (blocks === 0) {
      slot.read = undefined;
      return;
    }
    const { kvHeads, headDim } = this.shape;
    this.readBytes += 2 * kvHeads * headDim * FLOAT_BYTES * tokens;
    const start = (): LayerRead => this.fullCache.read(layer, blocks, slot.rows);
    slot.read = slot.writes ? readAfter(slot.writes, start) : start();
    // Whoever attends to the layer hears of a failure; until then it is not unhandled.
    slot.read.done.catch(() => undefined);
  }
}

/** A read that begins once the memory is free. */
function readAfter(wait: Promise<unknown>, start: () => LayerRead): LayerRead {
  let isDone = false;
  const done = wait
    .then(() => start().done)
    .then(() => {
      isDone = true;
    });
  return {
    get isDone() {
      return isDone;
    },
    done,
  };
}
