import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gaussian, seededRandom } from '../../../base';
import { OrtEnvironment } from '../../../ort';
import { BlockStore } from './block-store';
import { kiviLayout, kiviSections } from './kivi-layout';
import { KiviPacker } from './kivi-packer';

let environment: OrtEnvironment;
beforeAll(() => {
  environment = OrtEnvironment.open({ threads: 1 });
});
afterAll(() => environment.close());

const BLOCK = 128;
const KV_HEADS = 2;

/** A block of one head packed into the last place of a store, and unpacked. */
function packed(
  bits: number,
  headDim: number,
  keys: Float32Array,
  values: Float32Array,
): { readonly keys: Float32Array; readonly values: Float32Array } {
  const shape = { heads: 2, kvHeads: KV_HEADS, headDim };
  const layout = kiviLayout(bits, shape);
  const store = new BlockStore(environment, kiviSections(layout, shape), 3);
  const packer = new KiviPacker(store, layout, shape);
  const found = { keys: new Float32Array(keys.length), values: new Float32Array(keys.length) };
  const other = Float32Array.from(keys, (value) => 3 - value);
  packer.pack(2, 1, other, other);
  packer.pack(2, 1, keys, values);
  packer.pack(2, 0, other, other);
  packer.pack(1, 1, other, other);
  packer.unpack(2, 1, found.keys, found.values);
  return found;
}

/** Half a step, and what float16 takes from the least and the step. */
function allowed(group: readonly number[], bits: number): number {
  const [least, most] = [Math.min(...group), Math.max(...group)];
  const step = (most - least) / (2 ** bits - 1);
  return step / 2 + (Math.abs(least) + (most - least)) * 2 ** -11 + 2 ** -24;
}

describe.each([2, 4])('%d bits', (bits) => {
  it('keep keys to half a step of their channel in a run of tokens, values to one of their group', () => {
    const shapes = fc.record({
      headDim: fc.constantFrom(8, 20, 32, 64, 128),
      seed: fc.nat(),
      scale: fc.constantFrom(1e-3, 1, 50),
      offset: fc.constantFrom(0, -7, 40),
    });
    fc.assert(
      fc.property(shapes, ({ headDim, seed, scale, offset }) => {
        const random = seededRandom(seed);
        const floats = (): Float32Array =>
          Float32Array.from({ length: BLOCK * headDim }, () => offset + scale * gaussian(random));
        const [keys, values] = [floats(), floats()];
        const found = packed(bits, headDim, keys, values);
        const run = (BLOCK * bits) / 8;
        const groups = bits === 4 ? 2 : 4;
        const width = Math.max(headDim / groups, Math.min(32, headDim));
        const valueGroup = headDim % width === 0 ? width : headDim;
        for (const at of keys.keys()) {
          const [token, channel] = [Math.floor(at / headDim), at % headDim];
          const first = Math.floor(token / run) * run;
          const column = Array.from({ length: run }, (_, row) => keys[(first + row) * headDim + channel]!);
          if (Math.abs(found.keys[at]! - keys[at]!) > allowed(column, bits))
            expect.unreachable(`key ${at}: ${found.keys[at]} for ${keys[at]}`);
          const start = token * headDim + Math.floor(channel / valueGroup) * valueGroup;
          const group = [...values.subarray(start, start + valueGroup)];
          if (Math.abs(found.values[at]! - values[at]!) > allowed(group, bits))
            expect.unreachable(`value ${at}: ${found.values[at]} for ${values[at]}`);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('keep what is the same all over, and zeros', () => {
    for (const value of [0, 1.5, -8]) {
      const same = new Float32Array(BLOCK * 64).fill(value);
      const found = packed(bits, 64, same, same);
      expect([found.keys, found.values]).toEqual([same, same]);
    }
  });
});

it('heads that do not fill bytes are refused', () => {
  expect(() => kiviLayout(2, { heads: 2, kvHeads: 2, headDim: 18 })).toThrow(
    'Values of 2 bits need heads whose width is a multiple of 4; found 18. Use int8.',
  );
});
