/** A matrix in the layout of ONNX Runtime's `MatMulNBits`: an element is `scale * (quant - 8)`, blocks of 32. */
export interface SymmetricBlocks {
  /** `[rows, blocks, 16]`; of two quants in a byte the first is the low half. */
  readonly quants: Uint8Array;
  /** `[rows, blocks]`. */
  readonly scales: Float32Array;
}

export const BLOCK_ELEMENTS = 32;
const MIDDLE = 8;
const MAX_QUANT = 15;

/**
 * Rounds values to 4 bits as ONNX Runtime's own quantiser does by default (symmetric): the element furthest from 0
 * becomes -8 times the scale.
 * @param values rows of whole blocks.
 */
export function symmetricBlocks(values: Float32Array): SymmetricBlocks {
  const quants = new Uint8Array(values.length / 2);
  const scales = new Float32Array(values.length / BLOCK_ELEMENTS);
  for (let block = 0; block < scales.length; block += 1) {
    const first = block * BLOCK_ELEMENTS;
    const scale = furthest(values.subarray(first, first + BLOCK_ELEMENTS)) / -MIDDLE;
    scales[block] = scale;
    for (let index = first; index < first + BLOCK_ELEMENTS; index += 2) {
      quants[index >> 1] = quantOf(values[index]!, scale) | (quantOf(values[index + 1]!, scale) << 4);
    }
  }
  return { quants, scales };
}

function furthest(values: Float32Array): number {
  let found = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(found)) found = value;
  return found;
}

function quantOf(value: number, scale: number): number {
  if (scale === 0) return MIDDLE;
  return Math.min(MAX_QUANT, Math.max(0, Math.round(value / scale) + MIDDLE));
}
