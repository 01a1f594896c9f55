import { dequantise } from '../gguf/dequantise';
import { isPackable, packBlocks } from '../gguf/pack-blocks';
import type { StoredMatrix } from '../source/tensor-reader';

/** A matrix in the layout of ONNX Runtime's `MatMulNBits`: an element is `scale * (quant - 2^(bits - 1))`. */
export interface SymmetricMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  readonly blockElements: number;
  /** `[rows, blocks, blockElements * bits / 8]`; of two 4-bit quants in a byte the first is the low half. */
  readonly quants: Uint8Array;
  /** `[rows, blocks]`. */
  readonly scales: Float32Array;
}

const ROUNDED_BLOCK_ELEMENTS = 32;
/** For float matrices. */
const DEFAULT_BITS = 4;

/**
 * A matrix with the bits its type has. Blocks that have a minimum of their own are rounded anew, since a symmetric
 * block has none; all others keep their values.
 */
export function symmetricMatrix(matrix: StoredMatrix): SymmetricMatrix {
  const { type, bytes, rows, columns } = matrix;
  if (!isPackable(type)) return rounded(matrix, DEFAULT_BITS);
  const { offsets, ...packed } = packBlocks(type, bytes, rows, columns);
  return offsets ? rounded(matrix, packed.bits) : packed;
}

/** One below the other; undefined when their formats differ. */
export function stacked(matrices: readonly SymmetricMatrix[]): SymmetricMatrix | undefined {
  const [first] = matrices;
  if (!first) return undefined;
  const { bits, blockElements } = first;
  if (matrices.some((other) => other.bits !== bits || other.blockElements !== blockElements))
    return undefined;
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const scales = new Float32Array((rows * first.columns) / blockElements);
  let at = 0;
  for (const matrix of matrices) {
    scales.set(matrix.scales, at);
    at += matrix.scales.length;
  }
  return { ...first, rows, scales, quants: Buffer.concat(matrices.map(({ quants }) => quants)) };
}

export function valuesOf({ type, bytes, rows, columns }: StoredMatrix): Float32Array {
  const values = new Float32Array(rows * columns);
  dequantise(type, bytes, values);
  return values;
}

/** `[columns, rows]`. */
export function transposedValuesOf(matrix: StoredMatrix): Float32Array {
  const values = valuesOf(matrix);
  const { rows, columns } = matrix;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return out;
}

/**
 * GGUF files of the llama family have the two elements that are rotated together side by side; Hugging Face's weights,
 * and ONNX Runtime's vectorised rotation, have them half a head apart.
 */
export function halvesApart(matrix: StoredMatrix, headDim: number): StoredMatrix {
  const rowBytes = matrix.bytes.length / matrix.rows;
  const bytes = new Uint8Array(matrix.bytes.length);
  for (let row = 0; row < matrix.rows; row += 1) {
    const inHead = row % headDim;
    const target = row - inHead + (inHead >> 1) + (inHead % 2) * (headDim / 2);
    bytes.set(matrix.bytes.subarray(row * rowBytes, (row + 1) * rowBytes), target * rowBytes);
  }
  return { ...matrix, bytes };
}

/** As ONNX Runtime's own quantiser rounds by default: the element furthest from 0 becomes the lowest quant. */
function rounded(matrix: StoredMatrix, bits: 4 | 8): SymmetricMatrix {
  const { rows, columns } = matrix;
  const values = valuesOf(matrix);
  const middle = 2 ** (bits - 1);
  const all = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / ROUNDED_BLOCK_ELEMENTS);
  for (let block = 0; block < scales.length; block += 1) {
    const first = block * ROUNDED_BLOCK_ELEMENTS;
    const scale = furthest(values.subarray(first, first + ROUNDED_BLOCK_ELEMENTS)) / -middle;
    scales[block] = scale;
    for (let index = first; index < first + ROUNDED_BLOCK_ELEMENTS; index += 1) {
      const quant = scale === 0 ? 0 : Math.round(values[index]! / scale);
      all[index] = Math.min(quant, middle - 1) + middle;
    }
  }
  const quants = bits === 8 ? all : nibbles(all);
  return { rows, columns, bits, blockElements: ROUNDED_BLOCK_ELEMENTS, quants, scales };
}

function furthest(values: Float32Array): number {
  let found = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(found)) found = value;
  return found;
}

function nibbles(quants: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: quants.length / 2 }, (_, index) => {
    return quants[2 * index]! | (quants[2 * index + 1]! << 4);
  });
}
