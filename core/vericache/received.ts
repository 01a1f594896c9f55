import type { Observes } from './compressor';

/** Queries whose attention is summed for a compressor that observes a window (SnapKV's own is 32). */
const WINDOW_TOKENS = 32;
const FLOAT_BYTES = 4;

/** Attention that cached tokens got, summed over queries: by layer for a compressor that observes all, else for one. */
export class Received {
  private readonly sums: Float32Array;

  constructor(
    private readonly kvHeads: number,
    private readonly layers: number,
    private readonly rows: number,
  ) {
    this.sums = new Float32Array(layers * kvHeads * rows);
  }

  get byteLength(): number {
    return this.sums.byteLength;
  }

  /** Whether a part of a pass that ends at token `end` of `passTokens` has queries that count. */
  wants(observes: Observes, end: number, passTokens: number): boolean {
    if (observes === 'nothing') return false;
    return observes === 'all' || end > passTokens - WINDOW_TOKENS;
  }

  rowOf(layer: number): number {
    return this.layers === 1 ? 0 : layer;
  }

  /** Adds `[kvHeads, stride]` of the first `count` tokens. */
  add(row: number, received: Float32Array, stride: number, count: number): void {
    for (let head = 0; head < this.kvHeads; head += 1) {
      const sums = this.of(row, head);
      const from = head * stride;
      for (let token = 0; token < count; token += 1) sums[token]! += received[from + token]!;
    }
  }

  /** `[rows]`. */
  of(row: number, head: number): Float32Array {
    const start = (row * this.kvHeads + head) * this.rows;
    return this.sums.subarray(start, start + this.rows);
  }

  /** Tokens at `position` and on were rejected. */
  truncate(position: number): void {
    for (let layer = 0; layer < this.layers; layer += 1) {
      for (let head = 0; head < this.kvHeads; head += 1) this.of(layer, head).fill(0, position);
    }
  }

  clear(): void {
    this.sums.fill(0);
  }
}

/** Memory a `Received` takes. */
export function receivedBytes(observes: Observes, kvHeads: number, layers: number, rows: number): number {
  return (observes === 'all' ? layers : 1) * kvHeads * rows * FLOAT_BYTES;
}
