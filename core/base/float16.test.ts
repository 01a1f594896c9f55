import { describe, expect, it } from 'vitest';

import { float16ToNumber, numberToFloat16 } from './float16';

describe('float16', () => {
  it('encodes as NumPy does', () => {
    const values = [0.1, 1 / 3, 65504, 65519.9, 6.1e-5, 6e-8, 2.98e-8, -2.5, 1.00048828125, 1.00146484375];
    const expected = [11878, 13653, 31743, 31743, 1023, 1, 0, 49408, 15360, 15362];
    expect(values.map(numberToFloat16)).toEqual(expected);
  });

  it('decodes and encodes every pattern to itself', () => {
    for (let bits = 0; bits < 65536; bits += 1) {
      const value = float16ToNumber(bits);
      if (!Number.isNaN(value) && numberToFloat16(value) !== bits)
        expect([bits, numberToFloat16(value)]).toEqual([]);
    }
    expect(numberToFloat16(NaN)).toBe(0x7e00);
  });
});
