import { LayerRows, wholeSteps, type Attention, type AttentionCache, type AttentionPass } from '../../llm';
import type { OrtEnvironment } from '../../ort';
import type { LayerObservation } from '../compressor';

/** A full cache in memory that can be compressed: it tells its rows, and who was attended to since it was asked to look. */
export class FullRows implements AttentionCache {
  position = 0;
  observing = false;
  private readonly rows: readonly LayerRows[];
  private readonly received: readonly Float32Array[][];

  constructor(
    environment: OrtEnvironment,
    private readonly attention: Attention,
    layers: number,
    private readonly capacity: number,
  ) {
    const { kvHeads } = attention.shape;
    const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
    this.rows = each(layers, () => new LayerRows(environment, attention.shape, wholeSteps(capacity)));
    this.received = each(layers, () => each(kvHeads, () => new Float32Array(wholeSteps(capacity))));
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    this.rows[layer]!.write(this.position + offset, keys, values);
  }

  attend(layer: number, pass: AttentionPass): void {
    const before = this.position + pass.offset;
    const view = this.rows[layer]!.view(wholeSteps(before + pass.tokens));
    if (!this.observing) {
      this.attention.run(pass, view, before);
      return;
    }
    const seen = this.attention.observe(pass, view, before);
    for (const [head, sums] of this.received[layer]!.entries()) {
      for (let row = 0; row < view.rows; row += 1) sums[row]! += seen[head * view.rows + row]!;
    }
  }

  advance(tokens: number): void {
    this.position += tokens;
  }

  truncate(position: number): void {
    this.position = position;
  }

  observation(layer: number): LayerObservation {
    const tokens = this.position;
    return {
      layer,
      tokens,
      keys: (head) => this.rows[layer]!.rows(0, head, 0, tokens),
      values: (head) => this.rows[layer]!.rows(1, head, 0, tokens),
      received: (head) => this.received[layer]![head]!.subarray(0, tokens),
    };
  }

  /** Keys or values of some tokens as a pass stores them, `[tokens, kvHeads * headDim]`. */
  stored(layer: number, kind: 0 | 1, from: number, to: number): Float32Array {
    const { kvHeads, headDim } = this.attention.shape;
    const all = new Float32Array((to - from) * kvHeads * headDim);
    for (let head = 0; head < kvHeads; head += 1) {
      const rows = this.rows[layer]!.rows(kind, head, from, to);
      for (let token = 0; token < to - from; token += 1) {
        const row = rows.subarray(token * headDim, (token + 1) * headDim);
        all.set(row, (token * kvHeads + head) * headDim);
      }
    }
    return all;
  }

  get fullBytes(): number {
    const { kvHeads, headDim } = this.attention.shape;
    return this.rows.length * 2 * kvHeads * this.capacity * headDim * 4;
  }

  release(): void {
    for (const rows of this.rows) rows.release();
  }
}
