import { lowerBound, upperBound } from './span-row';

/** A step function (ring occupancy): value `value[i]` from `at[i]` on. With min and max over 2^k neighbours. */
export interface StepLod {
  readonly at: Float64Array;
  readonly value: Float64Array;
  readonly peak: number;
  readonly min: readonly Float64Array[];
  readonly max: readonly Float64Array[];
}

export function buildSteps(at: Float64Array, value: Float64Array): StepLod {
  const min = [value];
  const max = [value];
  while (min.at(-1)!.length > 1) {
    min.push(halve(min.at(-1)!, Math.min));
    max.push(halve(max.at(-1)!, Math.max));
  }
  return { at, value, peak: value.length > 0 ? max.at(-1)![0]! : 0, min, max };
}

function halve(below: Float64Array, join: (a: number, b: number) => number): Float64Array {
  const above = new Float64Array((below.length + 1) >>> 1);
  for (let i = 0; i < above.length; i += 1) {
    const left = below[2 * i]!;
    above[i] = 2 * i + 1 < below.length ? join(left, below[2 * i + 1]!) : left;
  }
  return above;
}

/** The value at a time; 0 before the first step. */
export function stepAt(steps: StepLod, us: number): number {
  const index = upperBound(steps.at, us) - 1;
  return index < 0 ? 0 : steps.value[index]!;
}

/** Least and greatest value anywhere in `[fromUs, toUs)`; O(log n). */
export function stepExtent(steps: StepLod, fromUs: number, toUs: number): { min: number; max: number } {
  const entry = stepAt(steps, fromUs);
  let min = entry;
  let max = entry;
  let low = upperBound(steps.at, fromUs);
  let high = lowerBound(steps.at, toUs);
  for (let level = 0; low < high; level += 1, low >>>= 1, high >>>= 1) {
    if (low & 1) {
      min = Math.min(min, steps.min[level]![low]!);
      max = Math.max(max, steps.max[level]![low]!);
      low += 1;
    }
    if (high & 1) {
      high -= 1;
      min = Math.min(min, steps.min[level]![high]!);
      max = Math.max(max, steps.max[level]![high]!);
    }
  }
  return { min, max };
}
