import { SluiceError } from '../../contract';
import type { GgmlType } from './ggml-types';
import { float16At, makeQuantBlock, QUANT_TYPES, quantLayout } from './quant-layouts';

type ReadFloat = (bytes: Uint8Array, at: number) => number;
const FLOATS: Readonly<Record<string, ReadFloat>> = {
  F32: (bytes, at) =>
    floatOfBits(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)),
  F16: float16At,
  BF16: (bytes, at) => floatOfBits((bytes[at]! << 16) | (bytes[at + 1]! << 24)),
};

/** Names of the types whose values can be read. */
export const READABLE_TYPES: readonly string[] = [...Object.keys(FLOATS), ...QUANT_TYPES];

/** @throws SluiceError `unsupported` naming the tensor, its type, and the types that work. */
export function requireReadable(
  file: string,
  tensor: { readonly name: string; readonly type: GgmlType },
): void {
  if (READABLE_TYPES.includes(tensor.type.name)) return;
  throw new SluiceError(
    'unsupported',
    `${file}: tensor '${tensor.name}' is quantised as ${tensor.type.name}, which can't be read. ` +
      `${READABLE_TYPES.join(', ')} can; convert the model to one of them (llama-quantize).`,
    { file, tensor: tensor.name, type: tensor.type.name },
  );
}

/**
 * The values of whole blocks, the same bits as llama.cpp gives.
 * @param bytes as they stand in the file. @param out as many elements as `bytes` has, written from its start.
 * @throws SluiceError `unsupported` for a type that can't be read, `internal` for parts of blocks.
 */
export function dequantise(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  if (bytes.length * type.blockElements !== out.length * type.blockBytes || out.length % type.blockElements) {
    throw new SluiceError(
      'internal',
      `${bytes.length} bytes of ${type.name} are not ${out.length} values of whole blocks.`,
    );
  }
  const readFloat = FLOATS[type.name];
  if (readFloat) {
    for (let index = 0; index < out.length; index += 1)
      out[index] = readFloat(bytes, index * type.blockBytes);
  } else {
    dequantiseBlocks(type, bytes, out);
  }
}

function dequantiseBlocks(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  const layout = quantLayout(type.name);
  if (!layout) throw new SluiceError('unsupported', `Values of the type ${type.name} can't be read.`);
  const block = makeQuantBlock(type.blockElements, layout);
  for (let at = 0, to = 0; at < bytes.length; at += type.blockBytes, to += type.blockElements) {
    layout.read(bytes, at, block);
    for (let sub = 0; sub < block.scales.length; sub += 1) {
      const scale = block.scales[sub]!;
      const add = block.adds[sub]!;
      const first = sub * layout.subElements;
      for (let index = first; index < first + layout.subElements; index += 1) {
        out[to + index] = scale * block.quants[index]! + add;
      }
    }
  }
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);
function floatOfBits(bits: number): number {
  word[0] = bits;
  return wordAsFloat[0]!;
}
