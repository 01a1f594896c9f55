import { freemem } from 'node:os';
import { join } from 'node:path';
import { engineClockMs, median } from '../base';
import { SluiceError } from '../contract';
import type { Engine, EngineModel, InferenceResult } from './engine';
import { readManifest, WEIGHTS_FILE, type StoreManifest } from './manifest';
import { nominalInputs } from './nominal-inputs';
import {
  layersResidentProgram,
  planProgram,
  probePrograms,
  profilingProgram,
  type PlannedProgram,
} from './plan';
import { pipelineTimes, predictMs } from './predict';
import { DiskProbe } from './profile-disk';
import { writeProfile, type RingProfile, type StoreProfile } from './profile-file';
import { computeMs, computeSlowdown, layerMedians, overlapOf, readSlowdown } from './profile-fit';

/** Every program gets a burst in each round, so that a noisy second spoils no figure alone. */
const MIN_ROUNDS = 3;
const MAX_ROUNDS = 5;
const PATIENCE_MS = 6000;
/** Inferences of a burst; the first is not counted. */
const BURST = 3;
/** Weights are held in memory to measure (twice, in two programs) only if both take less than this share of what is free. */
const RESIDENT_SHARE = 0.5;
/** Without a resident measurement: what a call through the C API costs on current CPUs. */
const TYPICAL_STEP_MS = 0.02;
/** A correction outside this is not believed. */
const MAX_CORRECTION = 1.5;
const INPUT_SEED = 1;

export type ProfileProgress = (phase: string, done: number, total: number) => void;

/**
 * One profiling run: each layer's compute time, the cost of a step, and for rings of a few sizes the disk's read rate
 * and how much computing and reading disturb each other. Takes some inferences and no more memory than streaming
 * does, unless the model is small. The result is saved in the store.
 * @throws SluiceError `cancelled`, and whatever a run throws.
 */
export async function profileStore(
  engine: Engine,
  storePath: string,
  onProgress: ProfileProgress = () => undefined,
  signal?: AbortSignal,
): Promise<StoreProfile> {
  const profiler = await Profiler.open(engine, storePath);
  try {
    const startMs = engineClockMs();
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      onProgress('profile', round, MAX_ROUNDS);
      await profiler.round(signal);
      if (round + 1 >= MIN_ROUNDS && engineClockMs() - startMs > PATIENCE_MS) break;
    }
    const profile = profiler.profile();
    await writeProfile(storePath, profile);
    onProgress('profile', MAX_ROUNDS, MAX_ROUNDS);
    return profile;
  } finally {
    await profiler.close();
  }
}

/** A program that is measured, and what came out. */
interface Lane {
  readonly planned: PlannedProgram;
  readonly model: EngineModel;
  readonly results: InferenceResult[];
}

/** A streamed program, and reads as its ring has them. */
interface RingLane extends Lane {
  readonly disk: DiskProbe;
}

/** Measures a store round by round; whoever drives it may do other things in between. `close` frees its models. */
export class Profiler {
  private constructor(
    private readonly engine: Engine,
    private readonly manifest: StoreManifest,
    /** Each layer a step of its own: all in memory, or reads and computing taking turns where memory is short. */
    private readonly layers: Lane,
    /** The network in one piece, where memory allows. */
    private readonly whole: Lane | undefined,
    /** From the least ring on. */
    private readonly rings: readonly RingLane[],
  ) {}

  /** Loads what is to be measured. @throws SluiceError as `Engine.load` does. */
  static async open(engine: Engine, storePath: string): Promise<Profiler> {
    const manifest = readManifest(storePath);
    const opened: Lane[] = [];
    const open = async (planned: PlannedProgram): Promise<Lane> => {
      const model = await engine.loadProgram(storePath, manifest, planned.program, planned.detail);
      const lane = { planned, model, results: [] };
      opened.push(lane);
      return lane;
    };
    try {
      const weights = manifest.layers.reduce((sum, layer) => sum + layer.byteLength, 0);
      const fits = 2 * weights <= RESIDENT_SHARE * freemem();
      const layers = await open(fits ? layersResidentProgram(manifest) : profilingProgram(manifest));
      const whole = fits ? await open(planProgram(manifest, undefined, 'resident', Infinity)) : undefined;
      const rings: RingLane[] = [];
      for (const planned of probePrograms(manifest)) {
        const { ringBytes, chunkBytes } = planned.program;
        const disk = new DiskProbe(engine, join(storePath, WEIGHTS_FILE), ringBytes, chunkBytes);
        rings.push({ ...(await open(planned)), disk });
      }
      return new Profiler(engine, manifest, layers, whole, rings);
    } catch (error) {
      for (const lane of opened) await lane.model.close();
      throw error;
    }
  }

  /** A burst of every program. @throws SluiceError `cancelled`, and whatever a run throws. */
  async round(signal?: AbortSignal): Promise<void> {
    for (const lane of this.lanes) await burst(lane, signal);
    for (const ring of this.rings) await ring.disk.sample();
  }

  /** What all rounds so far have shown. */
  profile(): StoreProfile {
    const { engine, manifest, layers } = this;
    const bare: StoreProfile = {
      format: 3,
      threads: engine.info.threads,
      layerMs: layerMedians(manifest, layers.results),
      stepMs: this.stepCost(),
      readers: engine.readers,
      rings: this.rings.map(({ planned, disk }) => ({
        ringBytes: planned.program.ringBytes,
        ...disk.figures(),
        computeSlowdown: 1,
        readSlowdown: 1,
        correction: 1,
      })),
    };
    const slowed = { ...bare, rings: this.rings.map((lane, at) => withSlowdown(manifest, bare, lane, at)) };
    return { ...slowed, rings: this.rings.map((lane, at) => withCorrection(manifest, slowed, lane, at)) };
  }

  async close(): Promise<void> {
    for (const lane of this.lanes) await lane.model.close();
  }

  private get lanes(): readonly Lane[] {
    return [this.layers, ...(this.whole ? [this.whole] : []), ...this.rings];
  }

  /** What cutting the network into steps costs per step, from the same network in one piece. */
  private stepCost(): number {
    const { layers, whole } = this;
    const steps = layers.planned.program.steps.length;
    if (!whole || steps < 2) return TYPICAL_STEP_MS;
    const extraMs =
      median(layers.results.map(computeMs)) - median(whole.results.map((result) => result.totalMs));
    return Math.min(0.2, Math.max(0.005, extraMs / (steps - 1)));
  }
}

async function burst(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
  const inputs = nominalInputs(lane.model.manifest.inputs, INPUT_SEED);
  for (let run = 0; run < BURST; run += 1) {
    if (signal?.aborted) throw new SluiceError('cancelled', 'Profiling was cancelled.');
    const result = await lane.model.run(inputs, signal ? { signal } : {});
    if (run > 0) lane.results.push(result);
  }
}

function withSlowdown(
  manifest: StoreManifest,
  profile: StoreProfile,
  lane: RingLane,
  at: number,
): RingProfile {
  const ring = ringAt(profile, at);
  const { stepMs } = pipelineTimes(manifest, profile, lane.planned.program);
  const expectedMs = stepMs.reduce((sum, ms) => sum + ms, 0);
  const expectedReadMs = (lane.planned.detail.streamedBytesPerRun / ring.readBytesPerSec) * 1000;
  const overlaps = lane.results.map(overlapOf);
  return {
    ...ring,
    computeSlowdown: median(overlaps.map((overlap) => computeSlowdown(overlap, expectedMs))),
    readSlowdown: median(overlaps.map((overlap) => readSlowdown(overlap, expectedReadMs))),
  };
}

/** What the simulation misses of a streamed run, as a factor: the measured over the simulated latency. */
function withCorrection(
  manifest: StoreManifest,
  profile: StoreProfile,
  lane: RingLane,
  at: number,
): RingProfile {
  const measuredMs = median(lane.results.map((result) => result.totalMs));
  const factor = measuredMs / Math.max(1e-6, predictMs(manifest, profile, lane.planned.program));
  return {
    ...ringAt(profile, at),
    correction: Math.min(MAX_CORRECTION, Math.max(1 / MAX_CORRECTION, factor)),
  };
}

function ringAt(profile: StoreProfile, at: number): RingProfile {
  const ring = profile.rings[at];
  if (!ring) throw new Error(`The profile has no ring ${at}.`);
  return ring;
}
