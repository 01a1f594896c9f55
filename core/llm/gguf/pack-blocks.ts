import { SluiceError } from '../../contract';
import type { GgmlType } from './ggml-types';
import { makeQuantBlock, quantLayout, type QuantBlock, type QuantLayout } from './quant-layouts';

/**
 * A matrix `[rows, columns]` in the layout of ONNX Runtime's `MatMulNBits`: 4-bit quants stay 4-bit, 5 to 8 bits take
 * 8. An element is `scale * (quant - 2^(bits - 1)) + offset`, all three of its block.
 *
 * The operator itself knows no offset. Its zero points are whole numbers (GGUF's minima are not whole multiples of
 * their scale) or floats, and with those it computes row by row and 60 times slower. So the offsets are a small
 * matrix beside it: x times the matrix is MatMulNBits(x) plus (sums of x by block) times the offsets' transpose.
 */
export interface PackedBlocks {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly blockElements: 16 | 32;
  /** `[rows, blocks, blockElements * bits / 8]`; of two 4-bit quants in a byte the first is the low half. */
  readonly quants: Uint8Array;
  /** `[rows, blocks]`. */
  readonly scales: Float32Array;
  /** `[blocks, rows]`, ready to be multiplied by; absent for types whose offsets are all 0. */
  readonly offsets?: Float32Array;
}

/** Whether `packBlocks` takes the type. */
export function isPackable(type: GgmlType): boolean {
  return quantLayout(type.name) !== undefined;
}

/**
 * Lays out a quantised matrix for `MatMulNBits` without changing a value.
 * @param bytes of `[rows, columns]`, as they stand in the file.
 * @throws SluiceError `internal` for a type that `isPackable` refuses or sizes that don't fit.
 */
export function packBlocks(type: GgmlType, bytes: Uint8Array, rows: number, columns: number): PackedBlocks {
  const layout = quantLayout(type.name);
  if (!layout || rows * columns * type.blockBytes !== bytes.length * type.blockElements) {
    throw new SluiceError(
      'internal',
      `${bytes.length} bytes of ${type.name} can't be packed as [${rows}, ${columns}].`,
    );
  }
  const blocks = columns / layout.subElements;
  const packed = {
    rows,
    columns,
    bits: layout.bits,
    blockElements: layout.subElements,
    quants: new Uint8Array((rows * columns * layout.bits) / 8),
    scales: new Float32Array(rows * blocks),
    ...(layout.hasAdds ? { offsets: new Float32Array(rows * blocks) } : {}),
  };
  const block = makeQuantBlock(type.blockElements, layout);
  for (let at = 0, to = 0; at < bytes.length; at += type.blockBytes, to += type.blockElements) {
    layout.read(bytes, at, block);
    writeQuants(packed, to, block.quants, layout);
    writeScales(packed, to, block, layout);
  }
  return packed;
}

function writeQuants(packed: PackedBlocks, first: number, quants: Int16Array, layout: QuantLayout): void {
  const add = 2 ** (layout.bits - 1) - layout.centre;
  if (layout.bits === 8) {
    for (let index = 0; index < quants.length; index += 1)
      packed.quants[first + index] = quants[index]! + add;
    return;
  }
  for (let index = 0; index < quants.length; index += 2) {
    packed.quants[(first + index) >> 1] = (quants[index]! + add) | ((quants[index + 1]! + add) << 4);
  }
}

function writeScales(packed: PackedBlocks, first: number, block: QuantBlock, layout: QuantLayout): void {
  const blocks = packed.columns / layout.subElements;
  for (let sub = 0; sub < block.scales.length; sub += 1) {
    const index = first / layout.subElements + sub;
    packed.scales[index] = block.scales[sub]!;
    if (packed.offsets) {
      const row = Math.floor(index / blocks);
      packed.offsets[(index - row * blocks) * packed.rows + row] =
        block.adds[sub]! + layout.centre * block.scales[sub]!;
    }
  }
}
