import type { MetricPoint } from './points';

/**
 * At most `most` of the points, with the first, the last, and the smallest and largest of every stretch between, so that
 * what is drawn from them has the peaks of the whole. NaN is left out of stretches that hold numbers.
 * @param points in the order they are drawn.
 * @param most at least 1; 1 gives the last point, 2 and 3 the first and the last.
 */
export function downsample(points: readonly MetricPoint[], most: number): readonly MetricPoint[] {
  if (points.length <= most) return points;
  const last = points.length - 1;
  if (most === 1) return [points[last]!];
  const buckets = Math.floor((most - 2) / 2);
  const kept = [points[0]!];
  const inner = points.length - 2;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = 1 + Math.floor((bucket * inner) / buckets);
    const to = 1 + Math.floor(((bucket + 1) * inner) / buckets);
    for (const index of extremesOf(points, from, to)) kept.push(points[index]!);
  }
  kept.push(points[last]!);
  return kept;
}

/** Where the smallest and the largest value of [from, to) stand, in order; one where they are the same point. */
function extremesOf(points: readonly MetricPoint[], from: number, to: number): readonly number[] {
  let smallest = from;
  let largest = from;
  for (let index = from; index < to; index++) {
    const { value } = points[index]!;
    // A NaN that came first gives way to any number.
    if (value < points[smallest]!.value || Number.isNaN(points[smallest]!.value)) smallest = index;
    if (value > points[largest]!.value || Number.isNaN(points[largest]!.value)) largest = index;
  }
  if (smallest === largest) return [smallest];
  return smallest < largest ? [smallest, largest] : [largest, smallest];
}
