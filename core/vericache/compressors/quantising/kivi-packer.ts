import { float16ToNumber, numberToFloat16 } from '../../../base';
import type { HeadShape } from '../../../llm';
import { QUANTISED_BLOCK, type BlockStore } from './block-store';
import { KIVI, type KiviLayout } from './kivi-layout';

/** Packs blocks of one layer into its store and unpacks them. */
export class KiviPacker {
  private readonly keys: Uint8Array;
  private readonly keyScales: Uint16Array;
  private readonly keyMiddles: Uint16Array;
  private readonly values: Uint8Array;
  private readonly valueScales: Uint16Array;
  private readonly valueMiddles: Uint16Array;
  /** Of the group at hand, by channel. */
  private readonly least: Float32Array;
  private readonly most: Float32Array;
  /** The greatest number. */
  private readonly top: number;

  constructor(
    store: BlockStore,
    private readonly layout: KiviLayout,
    private readonly shape: HeadShape,
  ) {
    this.keys = store.bytes(KIVI.keys);
    this.keyScales = store.float16(KIVI.keyScales);
    this.keyMiddles = store.float16(KIVI.keyMiddles);
    this.values = store.bytes(KIVI.values);
    this.valueScales = store.float16(KIVI.valueScales);
    this.valueMiddles = store.float16(KIVI.valueMiddles);
    this.least = new Float32Array(layout.headDim);
    this.most = new Float32Array(layout.headDim);
    this.top = 2 ** layout.bits - 1;
  }

  /** @param keys `[128, headDim]`, and `values` too. */
  pack(block: number, head: number, keys: Float32Array, values: Float32Array): void {
    const place = block * this.shape.kvHeads + head;
    for (let plane = 0; plane < this.layout.planes; plane += 1) this.packKeys(place, plane, keys);
    for (let token = 0; token < QUANTISED_BLOCK; token += 1) this.packValues(place, token, values);
  }

  /** The opposite, as near as the bits allow. */
  unpack(block: number, head: number, keys: Float32Array, values: Float32Array): void {
    const { headDim, planeTokens, planeChannels, planes, bits, half, valueGroups } = this.layout;
    const place = block * this.shape.kvHeads + head;
    const number = (byte: number, plane: number): number => ((byte >> (bits * plane)) & this.top) - half;
    for (let token = 0; token < QUANTISED_BLOCK; token += 1) {
      const plane = Math.floor(token / planeTokens);
      for (let channel = 0; channel < headDim; channel += 1) {
        const row = place * headDim + channel;
        const scale = float16ToNumber(this.keyScales[(place * planes + plane) * headDim + channel]!);
        const middle = float16ToNumber(this.keyMiddles[row * planes + plane]!);
        const byte = this.keys[row * planeTokens + (token % planeTokens)]!;
        keys[token * headDim + channel] = number(byte, plane) * scale + middle;
      }
      for (let channel = 0; channel < headDim; channel += 1) {
        const row = place * QUANTISED_BLOCK + token;
        const group = Math.floor((channel * valueGroups) / headDim);
        const scale = float16ToNumber(
          this.valueScales[(place * valueGroups + group) * QUANTISED_BLOCK + token]!,
        );
        const middle = float16ToNumber(this.valueMiddles[row * valueGroups + group]!);
        const byte = this.values[row * planeChannels + (channel % planeChannels)]!;
        values[token * headDim + channel] =
          number(byte, Math.floor(channel / planeChannels)) * scale + middle;
      }
    }
  }

  /** One plane: a scale for every channel. */
  private packKeys(place: number, plane: number, source: Float32Array): void {
    const { headDim, planeTokens, planes, bits, half } = this.layout;
    const { least, most, keys, top } = this;
    const from = plane * planeTokens * headDim;
    const to = from + planeTokens * headDim;
    least.fill(Infinity);
    most.fill(-Infinity);
    for (let at = from; at < to;) {
      for (let channel = 0; channel < headDim; channel += 1, at += 1) {
        const value = source[at]!;
        if (value < least[channel]!) least[channel] = value;
        if (value > most[channel]!) most[channel] = value;
      }
    }
    const perStep = most;
    for (let channel = 0; channel < headDim; channel += 1) {
      const scale = (most[channel]! - least[channel]!) / top;
      this.keyScales[(place * planes + plane) * headDim + channel] = numberToFloat16(scale);
      this.keyMiddles[(place * headDim + channel) * planes + plane] = numberToFloat16(
        least[channel]! + half * scale,
      );
      perStep[channel] = scale > 0 ? 1 / scale : 0;
    }
    const shift = bits * plane;
    for (let token = 0, at = from; token < planeTokens; token += 1) {
      let to = place * headDim * planeTokens + token;
      for (let channel = 0; channel < headDim; channel += 1, at += 1, to += planeTokens) {
        const number = Math.min(top, ((source[at]! - least[channel]!) * perStep[channel]! + 0.5) | 0);
        keys[to] = plane === 0 ? number : keys[to]! | (number << shift);
      }
    }
  }

  /** One token: a scale for every group of channels. */
  private packValues(place: number, token: number, source: Float32Array): void {
    const { headDim, planeChannels, planes, bits, half, valueGroups } = this.layout;
    const { values, top } = this;
    const row = place * QUANTISED_BLOCK + token;
    const start = token * headDim;
    const groupPlanes = planes / valueGroups;
    for (let group = 0; group < valueGroups; group += 1) {
      const from = start + group * groupPlanes * planeChannels;
      const to = from + groupPlanes * planeChannels;
      let least = Infinity;
      let most = -Infinity;
      for (let at = from; at < to; at += 1) {
        const value = source[at]!;
        if (value < least) least = value;
        if (value > most) most = value;
      }
      const scale = (most - least) / top;
      this.valueScales[(place * valueGroups + group) * QUANTISED_BLOCK + token] = numberToFloat16(scale);
      this.valueMiddles[row * valueGroups + group] = numberToFloat16(least + half * scale);
      const perStep = scale > 0 ? 1 / scale : 0;
      for (let plane = group * groupPlanes, at = from; at < to; plane += 1) {
        for (let column = row * planeChannels; column < (row + 1) * planeChannels; column += 1, at += 1) {
          const number = Math.min(top, ((source[at]! - least) * perStep + 0.5) | 0);
          values[column] = plane === 0 ? number : values[column]! | (number << (bits * plane));
        }
      }
    }
  }
}
