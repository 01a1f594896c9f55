import { numberToFloat16, type Random } from '../../base';
import { ggmlType, type GgmlType } from '../gguf/ggml-types';

interface BlockScales {
  /** Where a block's float16 scales stand; its other bytes may be anything. */
  readonly at: readonly number[];
  /** Bound of those scales, so that values stay below 0.25 or so: larger ones make a network chaotic. */
  readonly max: number;
}
const SCALES: Readonly<Record<string, BlockScales>> = {
  Q4_0: { at: [0], max: 2 ** -6 },
  Q4_1: { at: [0, 2], max: 2 ** -7 },
  Q5_0: { at: [0], max: 2 ** -7 },
  Q5_1: { at: [0, 2], max: 2 ** -8 },
  Q8_0: { at: [0], max: 2 ** -9 },
  Q4_K: { at: [0, 2], max: 2 ** -12 },
  Q5_K: { at: [0, 2], max: 2 ** -13 },
  Q6_K: { at: [208], max: 2 ** -14 },
};

export function typeNamed(name: string): GgmlType {
  const types = Array.from({ length: 64 }, (_, id) => ggmlType(id));
  return types.find((type) => type?.name === name)!;
}

/** The number a file gives a type. */
export function typeIdOf(name: string): number {
  return Array.from({ length: 64 }, (_, id) => ggmlType(id)?.name).indexOf(name);
}

/** Blocks of a quantised type, any bytes but for their scales. */
export function randomBlocks(type: GgmlType, count: number, random: Random): Uint8Array {
  const bytes = Uint8Array.from({ length: count * type.blockBytes }, () => random() * 256);
  const scales = SCALES[type.name]!;
  for (let block = 0; block < count; block += 1) {
    for (const at of scales.at) {
      const scale = numberToFloat16((2 * random() - 1) * scales.max);
      bytes.set([scale & 255, scale >> 8], block * type.blockBytes + at);
    }
  }
  return bytes;
}
