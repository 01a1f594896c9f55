import type { MetricPoint, PointView } from './points';

/**
 * At most `most` of the points, with the first, the last, and the smallest and largest of every stretch between, so that
 * what is drawn from them has the peaks of the whole. NaN is left out of stretches that hold numbers.
 * @param points in the order they are drawn.
 * @param most at least 1; 1 gives the last point, 2 and 3 the first and the last.
 */
export function downsample(points: PointView, most: number): readonly MetricPoint[] {
  if (points.length <= most) return [...points];
  const last = points.length - 1;
  if (most === 1) return [points.at(last)];
  const buckets = Math.floor((most - 2) / 2);
  const kept = [0];
  const inner = points.length - 2;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = 1 + Math.floor((bucket * inner) / buckets);
    const to = 1 + Math.floor(((bucket + 1) * inner) / buckets);
    kept.push(...extremesOf(points, from, to));
  }
  kept.push(last);
  return kept.map((index) => points.at(index));
}

/** Where the smallest and the largest value of [from, to) stand, in order; one where they are the same point. */
function extremesOf(points: PointView, from: number, to: number): readonly number[] {
  let smallest = from;
  let largest = from;
  let least = points.valueAt(from);
  let most = least;
  for (let index = from; index < to; index++) {
    const value = points.valueAt(index);
    // A NaN that came first gives way to any number.
    if (value < least || (Number.isNaN(least) && !Number.isNaN(value))) {
      smallest = index;
      least = value;
    }
    if (value > most || (Number.isNaN(most) && !Number.isNaN(value))) {
      largest = index;
      most = value;
    }
  }
  if (smallest === largest) return [smallest];
  return smallest < largest ? [smallest, largest] : [largest, smallest];
}
