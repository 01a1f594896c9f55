import { statSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { median } from '../base';
import { SluiceError } from '../contract';
import type { Engine, EngineModel, InferenceResult } from './engine';
import { readManifest, WEIGHTS_FILE, type StoreManifest } from './manifest';
import { nominalInputs } from './nominal-inputs';
import { pipelineTimes, planProgram, probePrograms, profilingProgram, type PlannedProgram } from './plan';
import { writeProfile, type StoreProfile } from './profile-file';

/** Inferences per measurement after two warm-ups; fewer once a measurement has taken `PATIENCE_MS`. */
const RUNS = 5;
const WARM_UPS = 2;
const PATIENCE_MS = 4000;
const LARGE_RING_BYTES = 4 << 20;
const SMALL_RING_BYTES = 1 << 20;
const SMALL_READ_BYTES = 64 << 10;
const ONE_READER_BYTES = 48 << 20;
const READ_SAMPLES = 3;
/** Stands in for a disk that has nothing to read, bytes per second. */
const NO_DISK_RATE = 1e9;
/** All weights are loaded at once to measure only if they take less than this share of the free memory. */
const RESIDENT_SHARE = 0.25;
/** Without a resident measurement: what a call through the C API costs on current CPUs. */
const TYPICAL_STEP_MS = 0.02;
const INPUT_SEED = 1;

export type ProfileProgress = (phase: string, done: number, total: number) => void;

/**
 * One profiling run: each layer's compute time, the cost of a step, the disk's read rate and how much computing and
 * reading disturb each other. Takes a few inferences and no more memory than streaming does, unless the model is
 * small. The result is saved in the store.
 * @throws SluiceError `cancelled`, and whatever a run throws.
 */
export async function profileStore(
  engine: Engine,
  storePath: string,
  onProgress: ProfileProgress = () => undefined,
  signal?: AbortSignal,
): Promise<StoreProfile> {
  const manifest = readManifest(storePath);
  const measure = new Measurement(engine, storePath, manifest, signal);
  onProgress('profile layers', 0, 4);
  const apart = await measure.run(profilingProgram(manifest));
  const layerMs = layerMedians(manifest, apart);
  onProgress('profile whole', 1, 4);
  const stepMs = await measure.stepCost(apart);
  onProgress('profile disk', 2, 4);
  const reads = await measure.reads();
  onProgress('profile overlap', 3, 4);
  const { threads } = engine.info;
  const undisturbed = { format: 2, threads, layerMs, stepMs, ...reads, ...UNDISTURBED } as const;
  const profile: StoreProfile = { ...undisturbed, ...(await measure.disturbance(undisturbed)) };
  await writeProfile(storePath, profile);
  onProgress('profile overlap', 4, 4);
  return profile;
}

type Disturbance = Pick<StoreProfile, 'streamedStepMs' | 'computeSlowdown' | 'readSlowdown'>;
type DiskFigures = NonNullable<StoreProfile['smallRing']>;
const UNDISTURBED: Disturbance = { streamedStepMs: 0, computeSlowdown: 1, readSlowdown: 1 };

class Measurement {
  constructor(
    private readonly engine: Engine,
    private readonly storePath: string,
    private readonly manifest: StoreManifest,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Some inferences under a program. */
  async run(planned: PlannedProgram): Promise<InferenceResult[]> {
    const model = await this.engine.loadProgram(
      this.storePath,
      this.manifest,
      planned.program,
      planned.detail,
    );
    try {
      return await this.repeat(model);
    } finally {
      await model.close();
    }
  }

  private async repeat(model: EngineModel): Promise<InferenceResult[]> {
    const inputs = nominalInputs(this.manifest.inputs, INPUT_SEED);
    const options = this.signal ? { signal: this.signal } : {};
    const results: InferenceResult[] = [];
    let spentMs = 0;
    for (let run = 0; run < WARM_UPS + RUNS; run += 1) {
      if (this.signal?.aborted) throw new SluiceError('cancelled', 'Profiling was cancelled.');
      const result = await model.run(inputs, options);
      spentMs += result.totalMs;
      if (run >= WARM_UPS) results.push(result);
      if (results.length > 1 && spentMs > PATIENCE_MS) break;
    }
    return results;
  }

  /** What cutting the network into steps costs per step, from the same network in one piece. */
  async stepCost(apart: readonly InferenceResult[]): Promise<number> {
    const weights = this.manifest.layers.reduce((sum, layer) => sum + layer.byteLength, 0);
    const steps = apart[0]?.trace.program.steps.length ?? 1;
    if (weights > RESIDENT_SHARE * freemem() || steps < 2) return TYPICAL_STEP_MS;
    const whole = await this.run(planProgram(this.manifest, undefined, 'resident', Infinity));
    const extraMs = median(apart.map(computeMs)) - median(whole.map((result) => result.totalMs));
    return Math.min(0.2, Math.max(0.005, extraMs / (steps - 1)));
  }

  async reads(): Promise<Pick<StoreProfile, 'readers' | 'smallRing'> & DiskFigures> {
    const { readers } = this.engine;
    const { size } = statSync(join(this.storePath, WEIGHTS_FILE));
    if (size === 0) {
      return { readers, readBytesPerSec: NO_DISK_RATE, readerBytesPerSec: NO_DISK_RATE, readLatencyMs: 0 };
    }
    return { readers, ...(await this.disk(LARGE_RING_BYTES)), smallRing: await this.disk(SMALL_RING_BYTES) };
  }

  /** The disk's rate with all readers, and one reader's rate and latency from reads of two sizes. */
  private async disk(memoryBytes: number): Promise<DiskFigures> {
    const path = join(this.storePath, WEIGHTS_FILE);
    const { readers } = this.engine;
    const largeRead = memoryBytes / 4;
    const one = { parallel: 1, totalBytes: ONE_READER_BYTES, memoryBytes };
    const samples: { all: number; large: number; small: number }[] = [];
    for (let sample = 0; sample < READ_SAMPLES; sample += 1) {
      samples.push({
        all: await this.engine.measureReads(path, { chunkBytes: largeRead, memoryBytes }),
        large: await this.engine.measureReads(path, { chunkBytes: largeRead, ...one }),
        small: await this.engine.measureReads(path, { chunkBytes: SMALL_READ_BYTES, ...one }),
      });
    }
    const large = largeRead / median(samples.map((sample) => sample.large));
    const small = SMALL_READ_BYTES / median(samples.map((sample) => sample.small));
    const readBytesPerSec = median(samples.map((sample) => sample.all));
    const rate = (largeRead - SMALL_READ_BYTES) / Math.max(1e-6, large - small);
    const readerBytesPerSec = Math.min(4 * readBytesPerSec, Math.max(readBytesPerSec / readers, rate));
    const readLatencyMs = Math.max(0.01, (small - SMALL_READ_BYTES / readerBytesPerSec) * 1000);
    return { readBytesPerSec, readerBytesPerSec, readLatencyMs };
  }

  /** How much reads slow computing and computing slows reads, from a streamed run in small steps and one in large. */
  async disturbance(profile: StoreProfile): Promise<Disturbance> {
    const [fine, coarse] = probePrograms(this.manifest);
    const small = this.overlap(profile, fine, await this.run(fine));
    const large = this.overlap(profile, coarse, await this.run(coarse));
    const { streamedStepMs, computeSlowdown } = fitSlowdown(small, large);
    const readMs = (coarse.detail.streamedBytesPerRun / profile.readBytesPerSec) * 1000;
    const readSlowdown = slowdown(large.bothMs, readMs - (large.readMs - large.bothMs));
    return { streamedStepMs, computeSlowdown, readSlowdown };
  }

  private overlap(
    profile: StoreProfile,
    planned: PlannedProgram,
    results: readonly InferenceResult[],
  ): Overlap {
    const overlaps = results.map(overlapOf);
    const figure = (pick: (overlap: ReturnType<typeof overlapOf>) => number): number =>
      median(overlaps.map(pick));
    const { stepMs } = pipelineTimes(this.manifest, profile, planned.program);
    return {
      steps: stepMs.length,
      expectedMs: stepMs.reduce((sum, ms) => sum + ms, 0),
      computeMs: figure((overlap) => overlap.computeMs),
      readMs: figure((overlap) => overlap.readMs),
      bothMs: figure((overlap) => overlap.bothMs),
    };
  }
}

/** What a streamed run showed, against the compute time its steps would have undisturbed. */
interface Overlap {
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
function slowdown(wallMs: number, workMs: number): number {
  if (wallMs <= 0) return 1;
  return Math.min(MAX_SLOWDOWN, Math.max(1, wallMs / Math.max(wallMs / MAX_SLOWDOWN, workMs)));
}

function computeMs(result: InferenceResult): number {
  const { steps } = result.trace.times;
  let sum = 0;
  for (let at = 0; at < steps.length; at += 3) sum += (steps[at + 2] ?? 0) - (steps[at + 1] ?? 0);
  return sum;
}

function layerMedians(manifest: StoreManifest, results: readonly InferenceResult[]): number[] {
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
function overlapOf({ trace }: InferenceResult): { computeMs: number; readMs: number; bothMs: number } {
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
