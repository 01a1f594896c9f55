import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RgbImage } from './image';
import { crop, resizeBilinear } from './resize';

function pattern(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      data.set(
        [(x * 37 + y * 11) % 256, (x * x * 3 + y * 7) % 256, (x * 5 + y * y * 13) % 256],
        (y * width + x) * 3,
      );
    }
  }
  return { width, height, data };
}

/** `Image.fromarray(pattern).resize(size, Image.BILINEAR)` of Pillow 13.0.0. */
const PILLOW: { from: [number, number]; to: [number, number]; expected: string }[] = [
  { from: [7, 5], to: [3, 2], expected: '43 11 26 122 37 37 201 88 48 65 25 130 144 51 141 194 102 152' },
  {
    from: [3, 2],
    to: [7, 5],
    expected:
      '0 0 0 5 0 1 21 2 3 37 3 5 53 7 7 69 11 9 74 12 10 1 1 1 6 1 2 22 3 4 38 4 6 54 8 8 70 12 10 75 13 11 ' +
      '6 4 7 11 4 8 27 6 10 43 7 12 59 11 14 75 15 16 80 16 17 10 6 12 15 6 13 31 8 15 47 9 17 63 13 19 79 17 21 ' +
      '84 18 22 11 7 13 16 7 14 32 9 16 48 10 18 64 14 20 80 18 22 85 19 23',
  },
  {
    from: [16, 9],
    to: [4, 9],
    expected:
      '70 16 9 132 99 28 104 151 48 119 155 66 81 23 22 143 106 41 115 150 61 130 98 79 92 30 61 154 105 80 ' +
      '126 101 100 141 105 118 103 37 126 165 112 145 129 108 165 88 112 183 114 44 217 120 119 236 132 115 128 ' +
      '99 119 18 125 51 78 131 126 97 143 122 117 110 126 135 136 58 221 142 133 232 154 129 76 121 133 22 138 ' +
      '65 134 97 140 153 141 136 173 87 140 191 149 72 73 108 147 92 152 143 112 98 147 130',
  },
];

describe('resizeBilinear', () => {
  it.each(PILLOW)('is within 1 of Pillow, $from to $to', ({ from, to, expected }) => {
    const resized = resizeBilinear(pattern(...from), ...to);
    const values = expected.split(' ').map(Number);
    expect(resized.data).toHaveLength(values.length);
    values.forEach((value, i) => expect(Math.abs((resized.data[i] ?? -9) - value)).toBeLessThanOrEqual(1));
  });

  it('keeps a flat image flat and never leaves the range of its input', () => {
    const side = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(side, side, side, side, fc.integer({ min: 0, max: 255 }), (w, h, tw, th, level) => {
        const flat = { width: w, height: h, data: new Uint8Array(w * h * 3).fill(level) };
        const resized = resizeBilinear(flat, tw, th);
        return resized.data.length === tw * th * 3 && resized.data.every((value) => value === level);
      }),
    );
  });
});

describe('crop', () => {
  it('cuts the rectangle out and refuses one that leaves the image', () => {
    const image = pattern(5, 4);
    const cut = crop(image, 2, 1, 2, 3);
    expect([...cut.data.subarray(0, 3)]).toEqual([...image.data.subarray((5 + 2) * 3, (5 + 2) * 3 + 3)]);
    expect(() => crop(image, 4, 0, 2, 1)).toThrow(RangeError);
  });
});
