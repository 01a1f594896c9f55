import { float16ToNumber } from '../../base';

/** One block taken apart: an element's value is `scales[s] * quants[i] + adds[s]`, s its sub-block. */
export interface QuantBlock {
  readonly quants: Int16Array;
  readonly scales: Float64Array;
  readonly adds: Float64Array;
}

/**
 * How a quantised type lays out its blocks, after ggml/src/ggml-quants.c (`dequantize_row_*`). Scales have at most 19
 * significant bits and quants 8, so that products are exact in a double and a value is rounded once, to float32.
 */
export interface QuantLayout {
  /** Elements that share a scale. */
  readonly subElements: 16 | 32;
  /** What holds a quant without loss once `centre` is taken off, so that 0 is in the middle. */
  readonly bits: 4 | 8;
  readonly centre: number;
  /** Whether sub-blocks have a minimum of their own besides the scale. */
  readonly hasAdds: boolean;
  read(bytes: Uint8Array, at: number, block: QuantBlock): void;
}

const NIBBLES = { subElements: 32, bits: 4 } as const;
const BYTES = { subElements: 32, bits: 8 } as const;
const SYMMETRIC = { centre: 0, hasAdds: false } as const;

const LAYOUTS: Readonly<Record<string, QuantLayout>> = {
  Q4_0: {
    ...NIBBLES,
    ...SYMMETRIC,
    read: (bytes, at, block) => {
      setScale(block, 0, float16At(bytes, at));
      readNibbles(bytes, at + 2, block.quants, -8);
    },
  },
  Q4_1: {
    ...NIBBLES,
    centre: 8,
    hasAdds: true,
    read: (bytes, at, block) => {
      setScale(block, 0, float16At(bytes, at), float16At(bytes, at + 2));
      readNibbles(bytes, at + 4, block.quants, 0);
    },
  },
  Q5_0: {
    ...BYTES,
    ...SYMMETRIC,
    read: (bytes, at, block) => {
      setScale(block, 0, float16At(bytes, at));
      readNibbles(bytes, at + 6, block.quants, -16);
      addFifthBits(bytes, at + 2, block.quants);
    },
  },
  Q5_1: {
    ...BYTES,
    centre: 16,
    hasAdds: true,
    read: (bytes, at, block) => {
      setScale(block, 0, float16At(bytes, at), float16At(bytes, at + 2));
      readNibbles(bytes, at + 8, block.quants, 0);
      addFifthBits(bytes, at + 4, block.quants);
    },
  },
  Q8_0: {
    ...BYTES,
    ...SYMMETRIC,
    read: (bytes, at, block) => {
      setScale(block, 0, float16At(bytes, at));
      for (let index = 0; index < 32; index += 1) block.quants[index] = int8(bytes[at + 2 + index]!);
    },
  },
  Q4_K: {
    ...NIBBLES,
    centre: 8,
    hasAdds: true,
    read: (bytes, at, block) => {
      readScalesOfK(bytes, at, block);
      readNibblesOfK(bytes, at + 16, block.quants);
    },
  },
  Q5_K: {
    ...BYTES,
    centre: 16,
    hasAdds: true,
    read: (bytes, at, block) => {
      readScalesOfK(bytes, at, block);
      readNibblesOfK(bytes, at + 48, block.quants);
      for (let index = 0; index < 256; index += 1) {
        const bit = (bytes[at + 16 + (index & 31)]! >> (index >> 5)) & 1;
        block.quants[index] = block.quants[index]! + 16 * bit;
      }
    },
  },
  Q6_K: { ...SYMMETRIC, subElements: 16, bits: 8, read: readQ6K },
};

export const QUANT_TYPES: readonly string[] = Object.keys(LAYOUTS);

/** undefined for types that are no quants, or can't be read. */
export function quantLayout(typeName: string): QuantLayout | undefined {
  return Object.hasOwn(LAYOUTS, typeName) ? LAYOUTS[typeName] : undefined;
}

export function makeQuantBlock(blockElements: number, layout: QuantLayout): QuantBlock {
  const subBlocks = blockElements / layout.subElements;
  return {
    quants: new Int16Array(blockElements),
    scales: new Float64Array(subBlocks),
    adds: new Float64Array(subBlocks),
  };
}

/** Adding -0 leaves every value as it is, a -0 too. */
function setScale(block: QuantBlock, sub: number, scale: number, add = -0): void {
  block.scales[sub] = scale;
  block.adds[sub] = add;
}

/** 32 elements: the low halves of 16 bytes, then the high halves. */
function readNibbles(bytes: Uint8Array, at: number, quants: Int16Array, add: number): void {
  for (let index = 0; index < 16; index += 1) {
    const byte = bytes[at + index]!;
    quants[index] = (byte & 15) + add;
    quants[index + 16] = (byte >> 4) + add;
  }
}

function addFifthBits(bytes: Uint8Array, at: number, quants: Int16Array): void {
  for (let index = 0; index < 32; index += 1) {
    const bit = (bytes[at + (index >> 3)]! >> (index & 7)) & 1;
    quants[index] = quants[index]! + 16 * bit;
  }
}

/** 8 sub-blocks, two to 32 bytes: the first in the low halves, the second in the high ones. */
function readNibblesOfK(bytes: Uint8Array, at: number, quants: Int16Array): void {
  for (let index = 0; index < 256; index += 1) {
    const byte = bytes[at + 32 * (index >> 6) + (index & 31)]!;
    quants[index] = index & 32 ? byte >> 4 : byte & 15;
  }
}

/** A scale for the scales, one for the minima, and 8 of both, 6 bits each, in 12 bytes (`get_scale_min_k4`). */
function readScalesOfK(bytes: Uint8Array, at: number, block: QuantBlock): void {
  const scale = float16At(bytes, at);
  const minScale = float16At(bytes, at + 2);
  for (let sub = 0; sub < 8; sub += 1) {
    const first = bytes[at + 4 + sub]!;
    const second = bytes[at + 8 + sub]!;
    const before = sub < 4 ? 0 : bytes[at + sub]!;
    const [subScale, minimum] =
      sub < 4
        ? [first & 63, second & 63]
        : [(second & 15) | ((before >> 6) << 4), (second >> 4) | ((first >> 6) << 4)];
    setScale(block, sub, scale * subScale, -minScale * minimum);
  }
}

/** 256 elements: 4 low bits each in 128 bytes, 2 high bits in 64, then 16 scales. */
function readQ6K(bytes: Uint8Array, at: number, block: QuantBlock): void {
  const scale = float16At(bytes, at + 208);
  for (let sub = 0; sub < 16; sub += 1) setScale(block, sub, scale * int8(bytes[at + 192 + sub]!));
  for (let index = 0; index < 256; index += 1) {
    const half = index >> 7;
    const quarter = (index >> 5) & 3;
    const byte = bytes[at + 64 * half + (index & 31) + (quarter & 1 ? 32 : 0)]!;
    const low = quarter < 2 ? byte & 15 : byte >> 4;
    const high = (bytes[at + 128 + 32 * half + (index & 31)]! >> (2 * quarter)) & 3;
    block.quants[index] = low + 16 * high - 32;
  }
}

let float16Table: Float32Array | undefined;
/** The float16 at `bytes[at]`. */
export function float16At(bytes: Uint8Array, at: number): number {
  float16Table ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16ToNumber(bits));
  return float16Table[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

function int8(byte: number): number {
  return (byte << 24) >> 24;
}
