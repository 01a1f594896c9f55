import { median } from '../base';
import type { InferenceResult } from './engine';
import type { StoreManifest } from './manifest';

/** Time of one inference, milliseconds. */
export interface Overlap {
  readonly computeMs: number;
  /** Any reader reading. */
  readonly readMs: number;
  readonly bothMs: number;
}

/** What is believable: weights fresh from the disk can be quicker to compute with than those in memory. */
const MIN_SLOWDOWN = 0.7;
const MAX_SLOWDOWN = 3;
/** With less of the time spent on both at once, their influence can't be told from noise. */
const MIN_SHARE = 0.05;

/**
 * How many times as long computing takes while reads go on: computeMs = expectedMs (1 + share (slowdown - 1)), with
 * share that of compute time that overlaps reads.
 * @param expectedMs compute time of the same steps, undisturbed.
 */
export function computeSlowdown({ computeMs: busyMs, bothMs }: Overlap, expectedMs: number): number {
  if (bothMs < MIN_SHARE * busyMs || expectedMs <= 0) return 1;
  return within(1 + (busyMs / expectedMs - 1) / (bothMs / busyMs));
}

/** The same for reads. @param expectedMs read time of the same bytes with nothing being computed. */
export function readSlowdown({ readMs, bothMs }: Overlap, expectedMs: number): number {
  const undisturbedMs = readMs - bothMs;
  if (bothMs < MIN_SHARE * readMs) return 1;
  return Math.max(1, within(bothMs / Math.max(bothMs / MAX_SLOWDOWN, expectedMs - undisturbedMs)));
}

function within(slowdown: number): number {
  return Math.min(MAX_SLOWDOWN, Math.max(MIN_SLOWDOWN, slowdown));
}

/** Milliseconds that the steps of an inference computed, all together. */
export function computeMs(result: InferenceResult): number {
  const { steps } = result.trace.times;
  let sum = 0;
  for (let at = 0; at < steps.length; at += 3) sum += (steps[at + 2] ?? 0) - (steps[at + 1] ?? 0);
  return sum;
}

/** Median milliseconds of each layer over inferences in which every layer was a step of its own. */
export function layerMedians(manifest: StoreManifest, results: readonly InferenceResult[]): number[] {
  return manifest.layers.map((_, layer) =>
    median(
      results.map(({ trace }) =>
        trace.program.steps.reduce((sum, step, index) => {
          if (step.first !== layer) return sum;
          return sum + (trace.times.steps[3 * index + 2] ?? 0) - (trace.times.steps[3 * index + 1] ?? 0);
        }, 0),
      ),
    ),
  );
}

/** Time spent computing, time spent reading (by any reader), and time spent on both at once; within the inference. */
export function overlapOf({ trace }: InferenceResult): Overlap {
  const { times } = trace;
  const endMs = times.startMs + times.totalMs;
  const reads: [number, number][] = [];
  for (let at = 0; at < times.reads.length; at += 2) {
    reads.push([Math.max(times.startMs, times.reads[at] ?? 0), Math.min(endMs, times.reads[at + 1] ?? 0)]);
  }
  const busy = union(reads.filter(([start, end]) => end > start));
  let computing = 0;
  let both = 0;
  for (let at = 0; at < times.steps.length; at += 3) {
    const start = times.steps[at + 1] ?? 0;
    const end = times.steps[at + 2] ?? 0;
    computing += end - start;
    for (const [from, to] of busy) both += Math.max(0, Math.min(end, to) - Math.max(start, from));
  }
  return { computeMs: computing, readMs: busy.reduce((sum, [from, to]) => sum + to - from, 0), bothMs: both };
}

function union(intervals: readonly [number, number][]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [start, end] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}
