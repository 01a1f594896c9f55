import { median } from '../base';
import type { InferenceResult } from './engine';
import type { StoreManifest } from './manifest';
import type { StoreProfile } from './profile-file';

/** What a streamed run showed, against the compute time its steps would have undisturbed. */
export interface Overlap {
  readonly steps: number;
  readonly expectedMs: number;
  readonly computeMs: number;
  readonly readMs: number;
  readonly bothMs: number;
}

const MAX_SLOWDOWN = 3;

/**
 * Splits the extra compute time of two runs into a factor and a cost per step, neither negative. With f the share of
 * compute time that overlaps reads: computeMs = expectedMs (1 + f (slowdown - 1)) + f steps cost. Least squares.
 */
export function fitSlowdown(
  small: Overlap,
  large: Overlap,
): Pick<StoreProfile, 'streamedStepMs' | 'computeSlowdown'> {
  const runs = [small, large].map(({ steps, expectedMs, computeMs: busyMs, bothMs }) => {
    const share = busyMs === 0 ? 0 : bothMs / busyMs;
    return { perFactor: expectedMs * share, perStep: steps * share, extraMs: busyMs - expectedMs };
  });
  const sum = (term: (run: (typeof runs)[number]) => number): number =>
    runs.reduce((total, run) => total + term(run), 0);
  const ff = sum((run) => run.perFactor ** 2);
  const ss = sum((run) => run.perStep ** 2);
  const fs = sum((run) => run.perFactor * run.perStep);
  const fe = sum((run) => run.perFactor * run.extraMs);
  const se = sum((run) => run.perStep * run.extraMs);
  const both = {
    factor: (fe * ss - se * fs) / (ff * ss - fs * fs),
    cost: (se * ff - fe * fs) / (ff * ss - fs * fs),
  };
  const candidates = [
    both,
    { factor: 0, cost: ss > 0 ? se / ss : 0 },
    { factor: ff > 0 ? fe / ff : 0, cost: 0 },
  ]
    .filter(({ factor, cost }) => factor >= 0 && cost >= 0)
    .map((fit) => ({
      ...fit,
      error: sum((run) => (run.extraMs - fit.factor * run.perFactor - fit.cost * run.perStep) ** 2),
    }))
    .sort((a, b) => a.error - b.error);
  const { factor, cost } = candidates[0] ?? { factor: 0, cost: 0 };
  return { computeSlowdown: Math.min(MAX_SLOWDOWN, 1 + factor), streamedStepMs: cost };
}

/** Wall time over the undisturbed time of the same work, within what is believable. */
export function slowdown(wallMs: number, workMs: number): number {
  if (wallMs <= 0) return 1;
  return Math.min(MAX_SLOWDOWN, Math.max(1, wallMs / Math.max(wallMs / MAX_SLOWDOWN, workMs)));
}

export function computeMs(result: InferenceResult): number {
  const { steps } = result.trace.times;
  let sum = 0;
  for (let at = 0; at < steps.length; at += 3) sum += (steps[at + 2] ?? 0) - (steps[at + 1] ?? 0);
  return sum;
}

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
export function overlapOf({ trace }: InferenceResult): { computeMs: number; readMs: number; bothMs: number } {
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
