import { numberToFloat16, type Random } from '../../base';
import { ggmlType, type GgmlType } from '../gguf/ggml-types';

/** Where a block's float16 scales stand; its other bytes may be anything. */
const SCALES_AT: Readonly<Record<string, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

export function typeNamed(name: string): GgmlType {
  const types = Array.from({ length: 64 }, (_, id) => ggmlType(id));
  return types.find((type) => type?.name === name)!;
}

/** The number a file gives a type. */
export function typeIdOf(name: string): number {
  return Array.from({ length: 64 }, (_, id) => ggmlType(id)?.name).indexOf(name);
}

/** Blocks of a quantised type with values of about -1 to 1. */
export function randomBlocks(type: GgmlType, count: number, random: Random): Uint8Array {
  const bytes = Uint8Array.from({ length: count * type.blockBytes }, () => random() * 256);
  for (let block = 0; block < count; block += 1) {
    for (const at of SCALES_AT[type.name]!) {
      const scale = numberToFloat16((random() - 0.5) * 2 ** -8);
      bytes.set([scale & 255, scale >> 8], block * type.blockBytes + at);
    }
  }
  return bytes;
}
