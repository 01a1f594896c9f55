import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convexHull, distance, insideConvex, minAreaRect, rectCorners, unclip } from './geometry';
import type { Point, RotatedRect } from './geometry';

const coordinate = fc.integer({ min: -500, max: 500 });
const point: fc.Arbitrary<Point> = fc.record({ x: coordinate, y: coordinate });
const cloud = fc.array(point, { minLength: 1, maxLength: 40 });
const rect: fc.Arbitrary<RotatedRect> = fc.record({
  centre: point,
  width: fc.double({ min: 10, max: 400, noNaN: true }),
  height: fc.double({ min: 2, max: 9, noNaN: true }),
  angle: fc.double({ min: -Math.PI, max: Math.PI, noNaN: true }),
});

describe('convexHull', () => {
  it('holds every point and uses only given points', () => {
    fc.assert(
      fc.property(cloud, (points) => {
        const hull = convexHull(points);
        expect(hull.length).toBeGreaterThan(0);
        expect(hull.every((corner) => points.includes(corner))).toBe(true);
        if (hull.length > 2) expect(points.every((p) => insideConvex(hull, p))).toBe(true);
      }),
    );
  });
});

describe('minAreaRect', () => {
  it('holds every point and is no larger than the upright bounds', () => {
    fc.assert(
      fc.property(cloud, (points) => {
        const found = minAreaRect(points);
        const corners = rectCorners({ ...found, width: found.width + 1e-6, height: found.height + 1e-6 });
        expect(points.every((p) => insideConvex(corners, p))).toBe(true);
        const span = (values: number[]): number => Math.max(...values) - Math.min(...values);
        const upright = span(points.map((p) => p.x)) * span(points.map((p) => p.y));
        expect(found.width * found.height).toBeLessThanOrEqual(upright + 1e-6);
      }),
    );
  });

  it('recovers a rectangle from its corners', () => {
    fc.assert(
      fc.property(rect, (given) => {
        const found = minAreaRect(rectCorners(given));
        expect(Math.max(found.width, found.height)).toBeCloseTo(given.width, 5);
        expect(Math.min(found.width, found.height)).toBeCloseTo(given.height, 5);
        expect(distance(found.centre, given.centre)).toBeLessThan(1e-6);
      }),
    );
  });

  it.each([
    ['one point', [{ x: 3, y: 4 }], 0],
    ['a line', [0, 1, 2, 3].map((i) => ({ x: i * 3, y: i * 4 })), 15],
  ])('takes %s', (_name, points, length) => {
    const found = minAreaRect(points);
    expect(Math.max(found.width, found.height)).toBeCloseTo(length);
    expect(Math.min(found.width, found.height)).toBeCloseTo(0);
  });
});

describe('rectCorners', () => {
  it('starts top left and goes clockwise, the first edge within 45 degrees of level', () => {
    fc.assert(
      fc.property(rect, (given) => {
        const [a, b, c, d] = rectCorners(given);
        expect(Math.abs(b.y - a.y)).toBeLessThanOrEqual(b.x - a.x + 1e-6);
        expect(Math.abs(d.x - a.x)).toBeLessThanOrEqual(d.y - a.y + 1e-6);
        expect(distance(a, c)).toBeCloseTo(distance(b, d), 6);
      }),
    );
  });
});

describe('unclip', () => {
  it('moves every side out by area * ratio / perimeter, about the same centre', () => {
    fc.assert(
      fc.property(rect, fc.double({ min: 0, max: 3, noNaN: true }), (given, ratio) => {
        const grown = unclip(given, ratio);
        const offset = (given.width * given.height * ratio) / (2 * (given.width + given.height));
        expect(grown.width - given.width).toBeCloseTo(2 * offset, 6);
        expect(grown.height - given.height).toBeCloseTo(2 * offset, 6);
        expect(grown.centre).toEqual(given.centre);
        expect(rectCorners(given).every((corner) => insideConvex(rectCorners(grown), corner))).toBe(true);
      }),
    );
  });
});
