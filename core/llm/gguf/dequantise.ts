import { float16ToNumber } from '../../base';
import { SluiceError } from '../../contract';
import type { GgmlType } from './ggml-types';

/** Writes the elements of the block that begins at `bytes[at]` to `out[to]` and on. */
type ReadBlock = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

/**
 * Block layouts after ggml/src/ggml-quants.c (`dequantize_row_*`). Scales have 11 significant bits and quants few, so
 * that every product is exact and each value is rounded to float32 once: the same bits as ggml's.
 */
const READERS: Readonly<Record<string, ReadBlock>> = {
  F32: (bytes, at, out, to) => {
    word[0] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    out[to] = wordAsFloat[0]!;
  },
  F16: (bytes, at, out, to) => {
    out[to] = float16At(bytes, at);
  },
  BF16: (bytes, at, out, to) => {
    word[0] = (bytes[at]! << 16) | (bytes[at + 1]! << 24);
    out[to] = wordAsFloat[0]!;
  },
  Q4_0: (bytes, at, out, to) => readNibbles(bytes, at + 2, out, to, { scale: float16At(bytes, at), zero: 8 }),
  Q4_1: (bytes, at, out, to) =>
    readNibbles(bytes, at + 4, out, to, { scale: float16At(bytes, at), add: float16At(bytes, at + 2) }),
  Q5_0: (bytes, at, out, to) =>
    readNibbles(bytes, at + 6, out, to, { scale: float16At(bytes, at), zero: 16, fifthBitsAt: at + 2 }),
  Q5_1: (bytes, at, out, to) =>
    readNibbles(bytes, at + 8, out, to, {
      scale: float16At(bytes, at),
      add: float16At(bytes, at + 2),
      fifthBitsAt: at + 4,
    }),
  Q8_0: (bytes, at, out, to) => {
    const scale = float16At(bytes, at);
    for (let index = 0; index < 32; index += 1) out[to + index] = scale * int8(bytes[at + 2 + index]!);
  },
  Q4_K: (bytes, at, out, to) => readK(bytes, at, out, to, at + 16),
  Q5_K: (bytes, at, out, to) => readK(bytes, at, out, to, at + 48, at + 16),
  Q6_K: readQ6K,
};

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);
let float16Table: Float32Array | undefined;

/** Names of the types whose values can be read. */
export const READABLE_TYPES: readonly string[] = Object.keys(READERS);

/** @throws SluiceError `unsupported` naming the tensor, its type, and the types that work. */
export function requireReadable(
  file: string,
  tensor: { readonly name: string; readonly type: GgmlType },
): void {
  if (tensor.type.name in READERS) return;
  throw new SluiceError(
    'unsupported',
    `${file}: tensor '${tensor.name}' is quantised as ${tensor.type.name}, which can't be read. ` +
      `${READABLE_TYPES.join(', ')} can; convert the model to one of them (llama-quantize).`,
    { file, tensor: tensor.name, type: tensor.type.name },
  );
}

/**
 * The values of whole blocks.
 * @param bytes as they stand in the file. @param out as many elements as `bytes` has, written from its start.
 * @throws SluiceError `unsupported` for a type that can't be read, `internal` for parts of blocks.
 */
export function dequantise(type: GgmlType, bytes: Uint8Array, out: Float32Array): void {
  const read = READERS[type.name];
  if (!read) throw new SluiceError('unsupported', `Values of the type ${type.name} can't be read.`);
  const blocks = bytes.length / type.blockBytes;
  if (!Number.isInteger(blocks) || blocks * type.blockElements !== out.length) {
    throw new SluiceError(
      'internal',
      `${bytes.length} bytes of ${type.name} are not ${out.length} values of whole blocks.`,
    );
  }
  for (let block = 0; block < blocks; block += 1) {
    read(bytes, block * type.blockBytes, out, block * type.blockElements);
  }
}

interface NibbleScale {
  readonly scale: number;
  readonly zero?: number;
  readonly add?: number;
  readonly fifthBitsAt?: number;
}

/** 32 elements: the low halves of 16 bytes, then the high halves. */
function readNibbles(bytes: Uint8Array, at: number, out: Float32Array, to: number, how: NibbleScale): void {
  // Adding -0 leaves a -0 as it is.
  const { scale, zero = 0, add = -0, fifthBitsAt } = how;
  for (let index = 0; index < 32; index += 1) {
    const byte = bytes[at + (index & 15)]!;
    const low = index < 16 ? byte & 15 : byte >> 4;
    const fifth = fifthBitsAt === undefined ? 0 : (bytes[fifthBitsAt + (index >> 3)]! >> (index & 7)) & 1;
    out[to + index] = scale * (low + 16 * fifth - zero) + add;
  }
}

/** 256 elements of 4 bits, or 5 with the fifth bits apart, in 8 sub-blocks with 6-bit scales and minima. */
function readK(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  quantsAt: number,
  fifthBitsAt?: number,
): void {
  const scale = float16At(bytes, at);
  const minScale = float16At(bytes, at + 2);
  for (let sub = 0; sub < 8; sub += 1) {
    const subScale = scale * scaleOfK(bytes, at + 4, sub);
    const minimum = minScale * minimumOfK(bytes, at + 4, sub);
    const from = quantsAt + 32 * (sub >> 1);
    for (let index = 0; index < 32; index += 1) {
      const byte = bytes[from + index]!;
      const low = sub & 1 ? byte >> 4 : byte & 15;
      const fifth = fifthBitsAt === undefined ? 0 : (bytes[fifthBitsAt + index]! >> sub) & 1;
      out[to + 32 * sub + index] = subScale * (low + 16 * fifth) - minimum;
    }
  }
}

/** 8 scales and 8 minima of 6 bits share 12 bytes (`get_scale_min_k4`). @param at where those begin. */
export function scaleOfK(bytes: Uint8Array, at: number, sub: number): number {
  if (sub < 4) return bytes[at + sub]! & 63;
  return (bytes[at + sub + 4]! & 15) | ((bytes[at + sub - 4]! >> 6) << 4);
}

export function minimumOfK(bytes: Uint8Array, at: number, sub: number): number {
  if (sub < 4) return bytes[at + sub + 4]! & 63;
  return (bytes[at + sub + 4]! >> 4) | ((bytes[at + sub]! >> 6) << 4);
}

/** 256 elements of 6 bits in 16 sub-blocks with 8-bit scales. */
function readQ6K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const scale = float16At(bytes, at + 208);
  for (let index = 0; index < 256; index += 1) {
    const half = index >> 7;
    const quarter = (index >> 5) & 3;
    const byte = bytes[at + 64 * half + (index & 31) + (quarter & 1 ? 32 : 0)]!;
    const low = quarter < 2 ? byte & 15 : byte >> 4;
    const high = (bytes[at + 128 + 32 * half + (index & 31)]! >> (2 * quarter)) & 3;
    out[to + index] = scale * int8(bytes[at + 192 + (index >> 4)]!) * (low + 16 * high - 32);
  }
}

/** The float16 at `bytes[at]`. */
export function float16At(bytes: Uint8Array, at: number): number {
  float16Table ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16ToNumber(bits));
  return float16Table[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

function int8(byte: number): number {
  return (byte << 24) >> 24;
}
