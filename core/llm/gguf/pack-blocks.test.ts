import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { randomBlocks, typeNamed } from '../test-support/random-blocks';
import { dequantise } from './dequantise';
import { isPackable, packBlocks, type PackedBlocks } from './pack-blocks';
import { QUANT_TYPES } from './quant-layouts';

function unpack(packed: PackedBlocks, row: number, column: number): number {
  const { columns, rows, bits, blockElements, quants, scales, offsets } = packed;
  const index = row * columns + column;
  const byte = quants[bits === 8 ? index : index >> 1]!;
  const quant = bits === 8 ? byte : index & 1 ? byte >> 4 : byte & 15;
  const block = Math.floor(column / blockElements);
  const offset = offsets?.[block * rows + row] ?? 0;
  return scales[(row * columns) / blockElements + block]! * (quant - 2 ** (bits - 1)) + offset;
}

describe('packing for MatMulNBits', () => {
  it.each(QUANT_TYPES)('keeps the values of %s', (name) => {
    const type = typeNamed(name);
    const [rows, columns] = [3, 512];
    const bytes = randomBlocks(type, (rows * columns) / type.blockElements, seededRandom(5));
    const values = new Float32Array(rows * columns);
    dequantise(type, bytes, values);
    const packed = packBlocks(type, bytes, rows, columns);
    expect(packed.bits).toBe(name.startsWith('Q4') ? 4 : 8);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const expected = values[row * columns + column]!;
        const found = unpack(packed, row, column);
        // Without offsets every bit; an offset is one more float32 rounding of at most 16 scales and a minimum.
        if (!packed.offsets) expect(Object.is(Math.fround(found), Math.fround(expected + 0))).toBe(true);
        else expect(Math.abs(found - expected)).toBeLessThanOrEqual(2 ** -23 * 4);
      }
    }
  });

  it('refuses what is not quantised', () => {
    expect(isPackable(typeNamed('F16'))).toBe(false);
    expect(() => packBlocks(typeNamed('F16'), new Uint8Array(64), 1, 32)).toThrow(
      /64 bytes of F16 can't be packed/,
    );
  });
});
