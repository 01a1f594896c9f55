import { statSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { median } from '../base';
import { SluiceError } from '../contract';
import type { Engine, EngineModel, InferenceResult } from './engine';
import { readManifest, WEIGHTS_FILE, type StoreManifest } from './manifest';
import { nominalInputs } from './nominal-inputs';
import { minimumBudget, pipelineTimes, planProgram, profilingProgram, type PlannedProgram } from './plan';
import { writeProfile, type StoreProfile } from './profile-file';

/** Inferences per measurement after two warm-ups; fewer once a measurement has taken `PATIENCE_MS`. */
const RUNS = 5;
const WARM_UPS = 2;
const PATIENCE_MS = 4000;
const READ_CHUNK_BYTES = 1 << 20;
const READ_SAMPLE_BYTES = 256 << 20;
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
  const readBytesPerSec = await measure.readRate();
  onProgress('profile overlap', 3, 4);
  const undisturbed: StoreProfile = {
    format: 1,
    threads: engine.info.threads,
    layerMs,
    stepMs,
    readBytesPerSec,
    computeSlowdown: 1,
    readSlowdown: 1,
  };
  const profile = { ...undisturbed, ...(await measure.disturbance(undisturbed)) };
  await writeProfile(storePath, profile);
  onProgress('profile overlap', 4, 4);
  return profile;
}

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

  async readRate(): Promise<number> {
    const path = join(this.storePath, WEIGHTS_FILE);
    const { size } = statSync(path);
    if (size === 0) return READ_SAMPLE_BYTES;
    const rates: number[] = [];
    for (let sample = 0; sample < 3; sample += 1) {
      rates.push(
        await this.engine.measureReads(
          path,
          Math.min(size, READ_SAMPLE_BYTES),
          Math.min(size, READ_CHUNK_BYTES),
        ),
      );
    }
    return median(rates);
  }

  /** How much reads slow computing and computing slows reads, from a streamed run. */
  async disturbance(profile: StoreProfile): Promise<Pick<StoreProfile, 'computeSlowdown' | 'readSlowdown'>> {
    const planned = planProgram(this.manifest, profile, 'async', minimumBudget(this.manifest, 'async'));
    const results = await this.run(planned);
    const expectedMs = pipelineTimes(this.manifest, profile, planned.program).stepMs.reduce(
      (sum, ms) => sum + ms,
      0,
    );
    const overlaps = results.map(overlapOf);
    const bytes = planned.detail.streamedBytesPerRun;
    const computeSlowdown = median(
      overlaps.map(({ computeMs: busy, bothMs }) => slowdown(bothMs, expectedMs - (busy - bothMs))),
    );
    const readMs = (bytes / profile.readBytesPerSec) * 1000;
    const readSlowdown = median(
      overlaps.map(({ readMs: busy, bothMs }) => slowdown(bothMs, readMs - (busy - bothMs))),
    );
    return { computeSlowdown, readSlowdown };
  }
}

/** Wall time over the undisturbed time of the same work, within what is believable. */
function slowdown(wallMs: number, workMs: number): number {
  if (wallMs <= 0) return 1;
  return Math.min(4, Math.max(1, wallMs / Math.max(wallMs / 4, workMs)));
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
