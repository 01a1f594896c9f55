import { SluiceError } from '../../../contract';
import type { HeadShape } from '../../../llm';
import { QUANTISED_BLOCK, type Section } from './block-store';

const BYTE_BITS = 8;
/** Channels of a value that share a scale, where the head's width allows it; the paper's group size. */
const VALUE_GROUP = 32;

/**
 * How a block of 128 tokens is packed. A byte holds one number of each plane, the first plane in its lowest bits. A
 * plane of keys is a run of tokens, which share a scale in each channel; a plane of values is a run of channels.
 */
export interface KiviLayout {
  readonly bits: number;
  /** The number that stands for the middle of a group. */
  readonly half: number;
  /** Numbers in a byte. */
  readonly planes: number;
  readonly headDim: number;
  /** Tokens of a plane of keys. */
  readonly planeTokens: number;
  /** Channels of a plane of values. */
  readonly planeChannels: number;
  /** Scales of a token's values; a whole number of planes has the same. */
  readonly valueGroups: number;
}

/** @throws SluiceError `unsupported` for heads that don't fill whole bytes. */
export function kiviLayout(bits: number, { headDim }: HeadShape): KiviLayout {
  const planes = BYTE_BITS / bits;
  if (headDim % planes !== 0) {
    throw new SluiceError(
      'unsupported',
      `Values of ${bits} bits need heads whose width is a multiple of ${planes}; found ${headDim}. Use int8.`,
      { headDim },
    );
  }
  let valueGroups = planes;
  while (valueGroups > 1 && headDim / valueGroups < VALUE_GROUP) valueGroups /= 2;
  return {
    bits,
    half: 2 ** (bits - 1),
    planes,
    headDim,
    planeTokens: QUANTISED_BLOCK / planes,
    planeChannels: headDim / planes,
    valueGroups,
  };
}

/** Places of the sections of `kiviSections`. */
export const KIVI = {
  keys: 0,
  keyScales: 1,
  keyMiddles: 2,
  values: 3,
  valueScales: 4,
  valueMiddles: 5,
} as const;

/** An element is (its number - half the numbers there are) x scale + the middle of its group. */
export function kiviSections(layout: KiviLayout, { kvHeads }: HeadShape): readonly Section[] {
  const { planes, headDim, planeTokens, planeChannels, valueGroups } = layout;
  return [
    { dtype: 'uint8', dims: [kvHeads, headDim, planeTokens] },
    { dtype: 'float16', dims: [kvHeads, planes, 1, headDim] },
    { dtype: 'float16', dims: [kvHeads, headDim, planes] },
    { dtype: 'uint8', dims: [kvHeads, QUANTISED_BLOCK, planeChannels] },
    { dtype: 'float16', dims: [kvHeads, valueGroups, 1, QUANTISED_BLOCK] },
    { dtype: 'float16', dims: [kvHeads, QUANTISED_BLOCK, valueGroups] },
  ];
}
