import { distance } from './geometry';
import type { Point } from './geometry';
import type { RgbImage } from './image';

/** Row-major 3 x 3 matrix with a last element of 1: maps (x, y, 1) to (u w, v w, w). */
export type Homography = readonly [number, number, number, number, number, number, number, number, number];

export type FourPoints = readonly [Point, Point, Point, Point];

/**
 * The projective map that takes each `from` point to the `to` point of the same place.
 * @throws RangeError when three of the points are on a line.
 */
export function homography(from: FourPoints, to: FourPoints): Homography {
  const rows: number[][] = [];
  from.forEach(({ x, y }, i) => {
    const target = to[i];
    if (!target) return;
    const { x: u, y: v } = target;
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  });
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = solve(rows);
  return [a, b, c, d, e, f, g, h, 1];
}

/** Gauss-Jordan elimination with partial pivoting on an augmented matrix; works in place. */
function solve(rows: number[][]): number[] {
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let r = column + 1; r < size; r += 1) {
      if (Math.abs(rows[r]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = r;
    }
    const pivotRow = rows[pivot] ?? [];
    const scale = pivotRow[column] ?? 0;
    if (Math.abs(scale) < 1e-12)
      throw new RangeError('no projective map: three of the four points are on a line');
    rows[pivot] = rows[column] ?? [];
    rows[column] = pivotRow.map((value) => value / scale);
    for (let r = 0; r < size; r += 1) {
      if (r !== column) subtractRow(rows[r] ?? [], rows[column] ?? [], column);
    }
  }
  return rows.map((row) => row[size] ?? 0);
}

function subtractRow(row: number[], pivotRow: readonly number[], column: number): void {
  const factor = row[column] ?? 0;
  for (let i = 0; i < row.length; i += 1) row[i] = (row[i] ?? 0) - factor * (pivotRow[i] ?? 0);
}

export function project(map: Homography, { x, y }: Point): Point {
  const w = map[6] * x + map[7] * y + map[8];
  return { x: (map[0] * x + map[1] * y + map[2]) / w, y: (map[3] * x + map[4] * y + map[5]) / w };
}

/**
 * Straightens a quad (clockwise from top left, image pixels) into an upright image about as large as it is in the
 * source. A tall result (1.5 times as high as wide) is turned a quarter counter-clockwise, so that text
 * written top to bottom lies flat, as PaddleOCR does.
 */
export function rectify(image: RgbImage, quad: FourPoints): RgbImage {
  const [topLeft, topRight, bottomRight, bottomLeft] = quad;
  const width = Math.max(
    1,
    Math.round(Math.max(distance(topLeft, topRight), distance(bottomLeft, bottomRight))),
  );
  const height = Math.max(
    1,
    Math.round(Math.max(distance(topLeft, bottomLeft), distance(topRight, bottomRight))),
  );
  if (height >= width * 1.5) return warp(image, [topRight, bottomRight, bottomLeft, topLeft], height, width);
  return warp(image, quad, width, height);
}

/** Samples the quad on a `width` x `height` grid, bilinear, edge pixels repeated outside the image. */
export function warp(image: RgbImage, quad: FourPoints, width: number, height: number): RgbImage {
  const map = homography(
    [
      { x: -0.5, y: -0.5 },
      { x: width - 0.5, y: -0.5 },
      { x: width - 0.5, y: height - 0.5 },
      { x: -0.5, y: height - 0.5 },
    ],
    quad,
  );
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1)
      sampleBilinear(image, project(map, { x, y }), data, (y * width + x) * 3);
  }
  return { width, height, data };
}

/** Writes the RGB at a point into `out` at `at`. */
function sampleBilinear(image: RgbImage, point: Point, out: Uint8Array, at: number): void {
  const x = Math.min(Math.max(point.x, 0), image.width - 1);
  const y = Math.min(Math.max(point.y, 0), image.height - 1);
  const left = Math.min(Math.floor(x), Math.max(0, image.width - 2));
  const top = Math.min(Math.floor(y), Math.max(0, image.height - 2));
  const right = image.width > 1 ? 3 : 0;
  const down = image.height > 1 ? image.width * 3 : 0;
  const fx = x - left;
  const fy = y - top;
  const base = (top * image.width + left) * 3;
  for (let c = 0; c < 3; c += 1) {
    const from = base + c;
    const upper = (image.data[from] ?? 0) * (1 - fx) + (image.data[from + right] ?? 0) * fx;
    const lower = (image.data[from + down] ?? 0) * (1 - fx) + (image.data[from + right + down] ?? 0) * fx;
    out[at + c] = Math.round(upper * (1 - fy) + lower * fy);
  }
}
