import type { Point } from './geometry';

/** A set of 8-connected pixels above the threshold. */
export interface Component {
  readonly pixels: number;
  /** The leftmost and rightmost pixel of each of its rows: enough for its convex hull. */
  readonly outline: readonly Point[];
}

/**
 * Groups the pixels of `map` [height, width] that are above `threshold`, in scan order of their first pixel.
 * Time and memory are linear in the pixels.
 */
export function connectedComponents(
  map: ArrayLike<number>,
  width: number,
  height: number,
  threshold: number,
): Component[] {
  const pending = new Uint8Array(width * height);
  for (let i = 0; i < pending.length; i += 1) pending[i] = (map[i] ?? 0) > threshold ? 1 : 0;
  const stack = new Int32Array(width * height);
  const components: Component[] = [];
  for (let i = 0; i < pending.length; i += 1) {
    if (pending[i]) components.push(flood(i, pending, width, height, stack));
  }
  return components;
}

/** Takes the component of `seed` out of `pending`. `stack` is scratch for at most every pixel. */
function flood(
  seed: number,
  pending: Uint8Array,
  width: number,
  height: number,
  stack: Int32Array,
): Component {
  const ends = new Map<number, { min: number; max: number }>();
  let depth = 0;
  let pixels = 0;
  const push = (index: number): void => {
    pending[index] = 0;
    stack[depth] = index;
    depth += 1;
  };
  push(seed);
  while (depth > 0) {
    depth -= 1;
    const index = stack[depth] ?? 0;
    const y = Math.floor(index / width);
    const x = index - y * width;
    pixels += 1;
    const row = ends.get(y);
    if (!row) ends.set(y, { min: x, max: x });
    else if (x < row.min) row.min = x;
    else if (x > row.max) row.max = x;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny += 1) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx += 1) {
        if (pending[ny * width + nx]) push(ny * width + nx);
      }
    }
  }
  const outline: Point[] = [];
  for (const [y, { min, max }] of ends) {
    outline.push({ x: min, y });
    if (max !== min) outline.push({ x: max, y });
  }
  return { pixels, outline };
}
