import type { Quad } from '../contract';

/** x right, y down, pixels; a pixel's centre has whole coordinates. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle at any angle. `angle` is that of the `width` side, radians, clockwise on screen. */
export interface RotatedRect {
  readonly centre: Point;
  readonly width: number;
  readonly height: number;
  readonly angle: number;
}

/** Corners of the convex hull (Andrew's monotone chain) in clockwise screen order; collinear points left out. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const point of ordered) {
      while (chain.length >= 2 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    chain.pop();
    return chain;
  };
  const hull = [...half(sorted), ...half(sorted.reverse())];
  return hull.length > 0 ? hull : sorted.slice(0, 1);
}

function turn(a: Point | undefined, b: Point | undefined, c: Point): number {
  if (!a || !b) return 1;
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/**
 * The rectangle of least area around the points; one side lies on a hull edge (Freeman and Shapira 1975), so trying
 * each edge's direction finds it.
 * @param points at least one.
 */
export function minAreaRect(points: readonly Point[]): RotatedRect {
  const hull = convexHull(points);
  let best = boundsAlong(hull, 0);
  hull.forEach((from, i) => {
    const to = hull[(i + 1) % hull.length] ?? from;
    if (to.x === from.x && to.y === from.y) return;
    const rect = boundsAlong(hull, Math.atan2(to.y - from.y, to.x - from.x));
    if (rect.width * rect.height < best.width * best.height) best = rect;
  });
  return best;
}

function boundsAlong(points: readonly Point[], angle: number): RotatedRect {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let [minU, maxU, minV, maxV] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    const u = x * cos + y * sin;
    const v = y * cos - x * sin;
    minU = Math.min(minU, u);
    maxU = Math.max(maxU, u);
    minV = Math.min(minV, v);
    maxV = Math.max(maxV, v);
  }
  const u = (minU + maxU) / 2;
  const v = (minV + maxV) / 2;
  return {
    centre: { x: u * cos - v * sin, y: u * sin + v * cos },
    width: maxU - minU,
    height: maxV - minV,
    angle,
  };
}

/**
 * Grows a rectangle by area * ratio / perimeter on every side: what Vatti clipping does to a rectangle in DB
 * (Liao et al. 2020, section 3.4), whose training shrank the text regions by such an offset.
 */
export function unclip(rect: RotatedRect, ratio: number): RotatedRect {
  const distance = (rect.width * rect.height * ratio) / (2 * (rect.width + rect.height));
  return { ...rect, width: rect.width + 2 * distance, height: rect.height + 2 * distance };
}

/** Corners clockwise from the one that is top left once the rectangle is turned upright by less than 45 degrees. */
export function rectCorners(rect: RotatedRect): [Point, Point, Point, Point] {
  // An angle in (-45, 45] degrees makes `width` the more horizontal side.
  const quarterTurns = Math.round(rect.angle / (Math.PI / 2) - 1e-9);
  const angle = rect.angle - quarterTurns * (Math.PI / 2);
  const swap = quarterTurns % 2 !== 0;
  const halfWidth = (swap ? rect.height : rect.width) / 2;
  const halfHeight = (swap ? rect.width : rect.height) / 2;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const corner = (u: number, v: number): Point => ({
    x: rect.centre.x + u * halfWidth * cos - v * halfHeight * sin,
    y: rect.centre.y + u * halfWidth * sin + v * halfHeight * cos,
  });
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}

export function quadFromPoints(points: readonly [Point, Point, Point, Point]): Quad {
  const [a, b, c, d] = points;
  return [a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y];
}

export function quadPoints(quad: Quad): [Point, Point, Point, Point] {
  return [
    { x: quad[0], y: quad[1] },
    { x: quad[2], y: quad[3] },
    { x: quad[4], y: quad[5] },
    { x: quad[6], y: quad[7] },
  ];
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** Whether the point is inside a convex polygon given in clockwise screen order; its edge counts as inside. */
export function insideConvex(polygon: readonly Point[], point: Point): boolean {
  return polygon.every((from, i) => turn(from, polygon[(i + 1) % polygon.length], point) >= -1e-9);
}
