import { GraphRecorder, MICROSOFT, type HeadShape } from '../../../llm';
import { DataType } from '../../../onnx';
import { QUANTISED_BLOCK } from './block-store';

const SIGNED_TOP = 127;
const UNSIGNED_TOP = 255;
/** What stands for 0 among unsigned bytes of signed values. */
export const SIGNED_ZERO = 128;
/** A row of zeros is divided by this instead of by 0. */
const LEAST_UNIT = 1e-30;

/** Bytes, and what one step of them is worth. */
export interface ByteRows {
  readonly bytes: string;
  readonly unit: string;
}

/**
 * The parts of attention over quantised blocks. Products go over unsigned bytes (`MatMulInteger`): four times fewer
 * than floats to read, and exact; unsigned on both sides, because processors without VNNI saturate products of mixed
 * signs. In the shapes: t tokens, k key heads, g queries a key head, r = t * g, b blocks, d head dimension.
 */
export class IntegerGraph extends GraphRecorder {
  constructor(private readonly shape: HeadShape) {
    super();
  }

  scalar(value: number): string {
    return this.constant([], Float32Array.of(value));
  }

  byte(value: number): string {
    return this.constant([], Uint8Array.of(value));
  }

  toFloat(value: string): string {
    return this.add('Cast', [value], { to: BigInt(DataType.float32) });
  }

  reshaped(value: string, dims: readonly number[]): string {
    return this.add('Reshape', [value, this.integers(dims)]);
  }

  /** `[t, heads * d]` to `[k, r, d]`. */
  queriesByKeyHead(queries: string): string {
    const { heads, kvHeads, headDim } = this.shape;
    const split = this.reshaped(queries, [-1, kvHeads, heads / kvHeads, headDim]);
    return this.reshaped(this.transposed(split, [1, 0, 2, 3]), [kvHeads, -1, headDim]);
  }

  /** `[k, r, d]` to `[t, heads * d]`. */
  headsByToken(attended: string): string {
    const { heads, kvHeads, headDim } = this.shape;
    const split = this.reshaped(attended, [0, -1, heads / kvHeads, headDim]);
    return this.reshaped(this.transposed(split, [1, 0, 2, 3]), [-1, heads * headDim]);
  }

  /** Scores by block, `[b, k, r, ...]` with 128 behind r, to `[k, t, g, b * 128]`. */
  rowsOfBlocks(scores: string): string {
    const group = this.shape.heads / this.shape.kvHeads;
    const split = this.reshaped(scores, [0, 0, -1, group, QUANTISED_BLOCK]);
    return this.reshaped(this.transposed(split, [1, 2, 3, 0, 4]), [0, 0, group, -1]);
  }

  /** `[k, t, g, b * 128]` to `[b, k, r, 128]`. */
  blocksOfRows(weights: string): string {
    const group = this.shape.heads / this.shape.kvHeads;
    const split = this.reshaped(weights, [0, 0, group, -1, QUANTISED_BLOCK]);
    return this.reshaped(this.transposed(split, [3, 0, 1, 2, 4]), [0, 0, -1, QUANTISED_BLOCK]);
  }

  /** Values of either sign as bytes around `SIGNED_ZERO`; one unit for all along the axes. */
  signedBytes(values: string, axes: readonly number[]): ByteRows {
    const unit = this.unitOf(this.add('Abs', [values]), axes, SIGNED_TOP);
    return { unit, bytes: this.rounded(this.add('Div', [values, unit]), SIGNED_ZERO) };
  }

  /** The same with 16 bits: above the rows stand their coarse bytes, below, on the same axis, those of what is left. */
  signedBytePairs(values: string, axes: readonly number[], rowAxis: number): ByteRows {
    const unit = this.unitOf(this.add('Abs', [values]), axes, SIGNED_TOP);
    const scaled = this.add('Div', [values, unit]);
    const coarse = this.add('Round', [scaled]);
    const left = this.add('Mul', [this.add('Sub', [scaled, coarse]), this.scalar(2 * SIGNED_TOP)]);
    const both = this.add('Concat', [coarse, left], { axis: BigInt(rowAxis) });
    return { unit, bytes: this.rounded(both, SIGNED_ZERO) };
  }

  /** Puts products of `signedBytePairs`, as floats, together again. */
  joinedPairs(products: string, rowAxis: number): string {
    const [coarse, left] = this.addMany('Split', [products], 2, { axis: BigInt(rowAxis) });
    return this.add('Add', [coarse!, this.add('Mul', [left!, this.scalar(1 / (2 * SIGNED_TOP))])]);
  }

  /** Values of 0 or more as bytes; one unit for all along the axes. */
  unsignedBytes(values: string, axes: readonly number[]): ByteRows {
    const unit = this.unitOf(values, axes, UNSIGNED_TOP);
    return { unit, bytes: this.rounded(this.add('Div', [values, unit]), 0) };
  }

  /** Matrix product of bytes, each less what stands for 0 there; int32. */
  byteProduct(a: string, b: string, aZero: number, bZero: number): string {
    return this.add('MatMulInteger', [a, b, this.byte(aZero), this.byte(bZero)]);
  }

  /**
   * Bytes shifted right. A quantised sum with 0 is a vectorised rescaling, several times faster than `BitShift`: from
   * the byte half of what the shift cuts off is taken away, so that rounding to nearest finds the floor.
   */
  shiftedRight(bytes: string, bits: number): string {
    if (bits === 0) return bytes;
    const size = 2 ** bits;
    const half = [this.constant([1], Uint8Array.of(0)), this.scalar(1 / 2), this.byte(size - 1)];
    const inputs = [bytes, this.scalar(1), this.byte(0), ...half, this.scalar(size), this.byte(0)];
    return this.add('QLinearAdd', inputs, {}, MICROSOFT);
  }

  transposed(value: string, order: readonly number[]): string {
    return this.add('Transpose', [value], { perm: order.map(BigInt) });
  }

  private unitOf(sizes: string, axes: readonly number[], top: number): string {
    const most = this.add('ReduceMax', [sizes], { axes: axes.map(BigInt), keepdims: 1n });
    return this.add('Mul', [this.add('Max', [most, this.scalar(LEAST_UNIT)]), this.scalar(1 / top)]);
  }

  /** A cast cuts off what is behind the point. */
  private rounded(values: string, zero: number): string {
    const raised = this.add('Add', [values, this.scalar(zero + 0.5)]);
    return this.add('Cast', [raised], { to: BigInt(DataType.uint8) });
  }
}
