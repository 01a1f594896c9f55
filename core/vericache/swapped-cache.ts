import { LayerRows, wholeSteps, type Attention, type AttentionCache, type AttentionPass } from '../llm';
import type { OrtEnvironment } from '../ort';
import type { LayerObservation, Observes } from './compressor';
import { BLOCK_TOKENS, type FullCache } from './full-cache';
import { LayerSlots, type Slot } from './layer-slots';
import { MAX_ROUND_TOKENS, TAIL_ROWS, type MemoryPlan } from './memory-plan';
import { Received } from './received';

/** Who looks at each layer of the full cache while a pass has it in memory. */
export interface LayerObserver {
  /** Tokens of the text it is shown: all with those of the pass, or those before the pass. */
  readonly includesPass: boolean;
  see(observation: LayerObservation): void;
}

export interface SwappedCacheOptions {
  readonly environment: OrtEnvironment;
  readonly attention: Attention;
  readonly layers: number;
  readonly plan: MemoryPlan;
  readonly fullCache: FullCache;
  readonly observes: Observes;
  readonly nowMs: () => number;
}

/** Keys and values of a round by layer, `[MAX_ROUND_TOKENS, kvHeads * headDim]`. */
export interface RoundRows {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/**
 * The full cache as passes see it: whole blocks are outside fast memory and stream in layer by layer, ahead of compute;
 * the newest tokens are in memory. After a pass the caller calls `settle`, with fewer tokens where some were rejected:
 * only tokens that are settled go out.
 */
export class SwappedCache implements AttentionCache {
  position: number;
  /** Time passes waited for reads, since it was last set. */
  waitMs = 0;
  observer: LayerObserver | undefined;
  readonly round: readonly RoundRows[];
  readonly slots: LayerSlots;
  private readonly tail: readonly LayerRows[];
  /** By layer: the token in the first row of its tail. */
  private readonly tailStart: number[];
  private readonly received: Received;
  private passTokens = 0;
  private readonly writes: Promise<void>[] = [];
  /** Blocks on their way out after short passes; rows stay in the tail until they are there. */
  private flush: { isDone: boolean; readonly done: Promise<void> } | undefined;

  constructor(private readonly options: SwappedCacheOptions) {
    const { environment, attention, layers, plan, fullCache, observes } = options;
    const { shape } = attention;
    this.position = fullCache.blocks * BLOCK_TOKENS;
    this.slots = new LayerSlots(environment, shape, plan, fullCache);
    this.tail = Array.from({ length: layers }, () => new LayerRows(environment, shape, TAIL_ROWS));
    this.tailStart = this.tail.map(() => this.position);
    const floats = MAX_ROUND_TOKENS * shape.kvHeads * shape.headDim;
    this.round = this.tail.map(() => ({ keys: new Float32Array(floats), values: new Float32Array(floats) }));
    this.received = new Received(shape.kvHeads, observes === 'all' ? layers : 1, plan.slotRows);
  }

  /** Memory allocated: slots, newest tokens, the round's rows, attention received. */
  get byteLength(): number {
    const tail = this.tail.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const round = this.round.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0);
    return this.slots.byteLength + tail + round + this.received.byteLength;
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.options.attention.shape;
    const width = kvHeads * headDim;
    this.passTokens = Math.max(this.passTokens, offset + keys.length / width);
    this.slots.of(layer).rows.write(this.position + offset, keys, values);
    if (this.passTokens > MAX_ROUND_TOKENS) return;
    this.round[layer]!.keys.set(keys, offset * width);
    this.round[layer]!.values.set(values, offset * width);
  }

  attend(layer: number, pass: AttentionPass): void | Promise<void> {
    const slot = this.slots.of(layer);
    // What follows stores the next layer.
    const writes = pass.offset === 0 ? this.slots.writesBefore(layer + 1) : undefined;
    if (writes || (slot.read && !slot.read.isDone)) return this.attendLater(layer, pass, slot, writes);
    this.attendReady(layer, pass, slot);
    return undefined;
  }

  advance(tokens: number): void {
    this.position += tokens;
  }

  /**
   * Before a pass of so many tokens: a long one finds no block on its way out, and a short one finds room in the tail.
   * @throws SluiceError `io` when blocks that must go out can't be written.
   */
  async prepare(text: readonly number[], tokens: number): Promise<void> {
    const isFull = (): boolean => text.length - this.storedTokens > TAIL_ROWS - MAX_ROUND_TOKENS;
    const mustEnd = this.flush !== undefined && (tokens > MAX_ROUND_TOKENS || isFull());
    if (!mustEnd && !isFull()) return;
    if (this.flush) await this.finishFlush();
    if (isFull()) {
      this.startFlush(text);
      await this.finishFlush();
    }
    this.dropWrittenRows();
    // What was read ahead does not reach as far as the tail begins now.
    this.slots.restart();
  }

  /**
   * The pass is over and the text is this: later tokens were rejected. Whole blocks start to go out, and layers of the
   * next pass to come in.
   * @throws SluiceError `io` when blocks of a long pass can't be written; `restore` then goes back to what is there.
   */
  async settle(text: readonly number[]): Promise<void> {
    const wasLong = this.passTokens > MAX_ROUND_TOKENS;
    this.passTokens = 0;
    this.position = text.length;
    this.slots.truncate(text.length);
    this.received.truncate(text.length);
    if (wasLong) {
      await Promise.all(this.writes.splice(0));
      await this.commit(Math.floor(text.length / BLOCK_TOKENS), text);
    } else if (this.flush?.isDone === true) {
      this.flush = undefined;
    }
    if (!this.flush) this.dropWrittenRows();
    this.slots.restart();
    if (!this.flush && text.length >= this.storedTokens + BLOCK_TOKENS) this.startFlush(text);
  }

  /**
   * Goes back to what the full cache holds, after a pass that failed or was cancelled, or to a text that parts with the
   * present one earlier.
   * @param tokens to keep at most. @returns tokens that are left.
   */
  async restore(tokens: number): Promise<number> {
    const { fullCache } = this.options;
    await Promise.allSettled(this.writes.splice(0));
    await this.flush?.done.catch(() => undefined);
    this.flush = undefined;
    this.passTokens = 0;
    const blocks = Math.min(fullCache.blocks, Math.floor(tokens / BLOCK_TOKENS));
    if (blocks < fullCache.blocks) await fullCache.truncate(blocks);
    this.position = blocks * BLOCK_TOKENS;
    this.tailStart.fill(this.position);
    this.received.clear();
    this.slots.truncate(0);
    await this.slots.reload();
    return this.position;
  }

  /** Tokens that survive the process. */
  get storedTokens(): number {
    return this.options.fullCache.blocks * BLOCK_TOKENS;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.writes, this.flush?.done]);
    await this.slots.close();
    for (const rows of this.tail) rows.release();
  }

  private async attendLater(
    layer: number,
    pass: AttentionPass,
    slot: Slot,
    writes: Promise<void> | undefined,
  ): Promise<void> {
    const { nowMs } = this.options;
    const startMs = nowMs();
    await writes;
    await this.slots.arrived(layer);
    this.waitMs += nowMs() - startMs;
    this.attendReady(layer, pass, slot);
  }

  private attendReady(layer: number, pass: AttentionPass, slot: Slot): void {
    const { attention } = this.options;
    this.fillFromTail(layer, slot);
    const before = this.position + pass.offset;
    const view = slot.rows.view(wholeSteps(before + pass.tokens));
    const end = pass.offset + pass.tokens;
    if (this.wantsReceived(end)) {
      const received = attention.observe(pass, view, before);
      this.received.add(this.received.rowOf(layer), received, view.rows, before + pass.tokens);
    } else {
      attention.run(pass, view, before);
    }
    if (end === this.passTokens) this.finishLayer(layer, slot);
  }

  /** Rows between those read and the pass's own. */
  private fillFromTail(layer: number, slot: Slot): void {
    if (slot.valid >= this.position) return;
    const start = this.tailStart[layer]!;
    copyRows(
      this.tail[layer]!,
      slot.valid - start,
      slot.rows,
      slot.valid,
      this.position - slot.valid,
      this.heads,
    );
    slot.valid = this.position;
  }

  private finishLayer(layer: number, slot: Slot): void {
    const end = this.position + this.passTokens;
    slot.valid = end;
    this.showLayer(layer, slot, end);
    if (this.passTokens > MAX_ROUND_TOKENS) this.writeOut(layer, slot, end);
    else {
      const at = this.position - this.tailStart[layer]!;
      copyRows(slot.rows, this.position, this.tail[layer]!, at, this.passTokens, this.heads);
    }
    this.slots.passed(layer);
  }

  private showLayer(layer: number, { rows }: Slot, end: number): void {
    const { observer } = this;
    if (!observer) return;
    const tokens = observer.includesPass ? end : this.position;
    const row = this.received.rowOf(layer);
    observer.see({
      layer,
      tokens,
      keys: (head) => rows.rows(0, head, 0, tokens),
      values: (head) => rows.rows(1, head, 0, tokens),
      received: (head) => this.received.of(row, head).subarray(0, tokens),
    });
    if (this.options.observes !== 'all') this.received.clear();
  }

  /** All attention is summed all the time, that of a window only when somebody looks. */
  private wantsReceived(end: number): boolean {
    const { observes } = this.options;
    return (
      (observes === 'all' || this.observer !== undefined) &&
      this.received.wants(observes, end, this.passTokens)
    );
  }

  /** Of a long pass: whole blocks go out from the slot itself, the rest to the tail. */
  private writeOut(layer: number, slot: Slot, end: number): void {
    const { fullCache } = this.options;
    const from = fullCache.blocks;
    const to = Math.floor(end / BLOCK_TOKENS);
    const rest = to * BLOCK_TOKENS;
    copyRows(slot.rows, rest, this.tail[layer]!, 0, end - rest, this.heads);
    this.tailStart[layer] = rest;
    if (to === from) return;
    const write = fullCache.write(layer, from, to, slot.rows, from * BLOCK_TOKENS);
    write.catch(() => undefined);
    const written = (): void => {
      slot.writes = undefined;
    };
    slot.writes = write.then(written, written);
    this.writes.push(write);
  }

  private startFlush(text: readonly number[]): void {
    const { fullCache } = this.options;
    const from = fullCache.blocks;
    const to = Math.floor(text.length / BLOCK_TOKENS);
    const writes = this.tail.map((rows, layer) =>
      fullCache.write(layer, from, to, rows, from * BLOCK_TOKENS - this.tailStart[layer]!),
    );
    const done = Promise.all(writes).then(() => this.commit(to, text));
    const flush = { isDone: false, done };
    // A failure is heard of when the tail is full.
    const end = (): void => void (flush.isDone = true);
    done.then(end, end);
    this.flush = flush;
  }

  private commit(blocks: number, text: readonly number[]): Promise<void> {
    const { fullCache } = this.options;
    return fullCache.commit(blocks, text.slice(fullCache.blocks * BLOCK_TOKENS, blocks * BLOCK_TOKENS));
  }

  private async finishFlush(): Promise<void> {
    const { flush } = this;
    this.flush = undefined;
    await flush!.done;
  }

  /** The tail begins with the first token that is in no whole block. */
  private dropWrittenRows(): void {
    const start = this.storedTokens;
    for (const [layer, rows] of this.tail.entries()) {
      const drop = start - this.tailStart[layer]!;
      if (drop === 0) continue;
      copyRows(rows, drop, rows, 0, this.position - start, this.heads);
      this.tailStart[layer] = start;
    }
  }

  private get heads(): number {
    return this.options.attention.shape.kvHeads;
  }
}

/** Keys and values of `count` rows, of every head. Overlapping rows of the same memory are moved as by `set`. */
function copyRows(
  source: LayerRows,
  from: number,
  target: LayerRows,
  to: number,
  count: number,
  heads: number,
): void {
  if (count <= 0) return;
  for (const kind of [0, 1] as const) {
    for (let head = 0; head < heads; head += 1) {
      target.rows(kind, head, to, to + count).set(source.rows(kind, head, from, from + count));
    }
  }
}
