import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Quad } from '../contract';
import { quadFromPoints, rectCorners } from './geometry';
import { groupIntoLines } from './reading-order';

/** A page of two columns, turned about the origin. */
function page(rows: number, radians: number): { id: string; quad: Quad }[] {
  const boxes: { id: string; quad: Quad }[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (const column of [0, 1]) {
      const x = 100 + column * 300;
      const y = 40 + row * 40;
      const centre = {
        x: x * Math.cos(radians) - y * Math.sin(radians),
        y: x * Math.sin(radians) + y * Math.cos(radians),
      };
      const rect = { centre, width: 180, height: 24, angle: radians };
      boxes.push({ id: `${row}.${column}`, quad: quadFromPoints(rectCorners(rect)) });
    }
  }
  return boxes;
}

describe('groupIntoLines', () => {
  it('finds rows and columns of a page turned by up to 40 degrees, whatever the order given', () => {
    const turn = fc.double({ min: -0.7, max: 0.7, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        turn,
        fc.array(fc.nat(), { minLength: 16, maxLength: 16 }),
        (rows, radians, keys) => {
          const shuffled = page(rows, radians)
            .map((box, i) => ({ box, key: keys[i] ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ box }) => box);
          const lines = groupIntoLines(shuffled).map((line) => line.map((box) => box.id));
          expect(lines).toEqual(Array.from({ length: rows }, (_, row) => [`${row}.0`, `${row}.1`]));
        },
      ),
    );
  });

  it('takes no boxes', () => expect(groupIntoLines([])).toEqual([]));
});
