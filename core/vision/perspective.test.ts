import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distance } from './geometry';
import type { RgbImage } from './image';
import { homography, project, rectify, warp } from './perspective';
import type { FourPoints } from './perspective';

const jitter = fc.double({ min: -20, max: 20, noNaN: true });
/** Convex: a 100 x 100 square with its corners moved by less than a quarter. */
const quad: fc.Arbitrary<FourPoints> = fc
  .tuple(jitter, jitter, jitter, jitter, jitter, jitter, jitter, jitter)
  .map(([a, b, c, d, e, f, g, h]) => [
    { x: a, y: b },
    { x: 100 + c, y: d },
    { x: 100 + e, y: 100 + f },
    { x: g, y: 100 + h },
  ]);

function gradient(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) data.set([i % width, Math.floor(i / width), 7], i * 3);
  return { width, height, data };
}

describe('homography', () => {
  it('takes each corner to its partner, and back', () => {
    fc.assert(
      fc.property(quad, quad, fc.double({ min: 0, max: 100, noNaN: true }), (from, to, at) => {
        const there = homography(from, to);
        from.forEach((corner, i) =>
          expect(distance(project(there, corner), to[i] ?? corner)).toBeLessThan(1e-6),
        );
        const back = homography(to, from);
        const inside = { x: 30 + at * 0.4, y: 50 };
        expect(distance(project(back, project(there, inside)), inside)).toBeLessThan(1e-5);
      }),
    );
  });

  it('refuses three corners on a line', () => {
    const line: FourPoints = [0, 1, 2, 3].map((i) => ({ x: i, y: i })) as unknown as FourPoints;
    expect(() => homography(line, line)).toThrow(/on a line/);
  });
});

describe('warp and rectify', () => {
  it('returns the image itself for its own outline', () => {
    const image = gradient(9, 6);
    const whole: FourPoints = [
      { x: -0.5, y: -0.5 },
      { x: 8.5, y: -0.5 },
      { x: 8.5, y: 5.5 },
      { x: -0.5, y: 5.5 },
    ];
    expect(warp(image, whole, 9, 6)).toEqual(image);
    expect(rectify(image, whole)).toEqual(image);
  });

  it('turns a tall region a quarter counter-clockwise: its right edge becomes the top', () => {
    const image = gradient(4, 12);
    const turned = rectify(image, [
      { x: -0.5, y: -0.5 },
      { x: 3.5, y: -0.5 },
      { x: 3.5, y: 11.5 },
      { x: -0.5, y: 11.5 },
    ]);
    expect([turned.width, turned.height]).toEqual([12, 4]);
    expect([...turned.data.subarray(0, 3)]).toEqual([3, 0, 7]);
    expect([...turned.data.subarray(11 * 3, 12 * 3)]).toEqual([3, 11, 7]);
  });

  it('repeats the edge outside a one-pixel image', () => {
    const dot = { width: 1, height: 1, data: new Uint8Array([1, 2, 3]) };
    const wide = warp(
      dot,
      [
        { x: -5, y: -5 },
        { x: 5, y: -5 },
        { x: 5, y: 5 },
        { x: -5, y: 5 },
      ],
      2,
      1,
    );
    expect([...wide.data]).toEqual([1, 2, 3, 1, 2, 3]);
  });
});
