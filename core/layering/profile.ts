import { statSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { engineClockMs, median } from '../base';
import { SluiceError } from '../contract';
import type { Engine, EngineModel, InferenceResult } from './engine';
import { readManifest, WEIGHTS_FILE, type StoreManifest } from './manifest';
import { nominalInputs } from './nominal-inputs';
import { planProgram, probePrograms, profilingProgram, type PlannedProgram } from './plan';
import { pipelineTimes, predictMs } from './predict';
import { writeProfile, type StoreProfile } from './profile-file';
import { computeMs, fitSlowdown, layerMedians, overlapOf, slowdown, type Overlap } from './profile-fit';

/** Every program gets a burst in each round, so that a noisy second spoils no figure alone. */
const MIN_ROUNDS = 3;
const MAX_ROUNDS = 5;
const PATIENCE_MS = 6000;
/** Inferences of a burst; the first is not counted. */
const BURST = 3;
const LARGE_RING_BYTES = 4 << 20;
const SMALL_RING_BYTES = 1 << 20;
const SMALL_READ_BYTES = 64 << 10;
const ONE_READER_BYTES = 32 << 20;
const ALL_READERS_BYTES = 64 << 20;
/** Stands in for a disk that has nothing to read, bytes per second. */
const NO_DISK_RATE = 1e9;
/** All weights are loaded at once to measure only if they take less than this share of the free memory. */
const RESIDENT_SHARE = 0.25;
/** Without a resident measurement: what a call through the C API costs on current CPUs. */
const TYPICAL_STEP_MS = 0.02;
/** A correction outside this is not believed. */
const MAX_CORRECTION = 1.4;
const INPUT_SEED = 1;

export type ProfileProgress = (phase: string, done: number, total: number) => void;

/**
 * One profiling run: each layer's compute time, the cost of a step, the disk's read rate and how much computing and
 * reading disturb each other. Takes some inferences and no more memory than streaming does, unless the model is
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
  const lanes = await openLanes(engine, storePath, manifest);
  const disk = new DiskSamples(engine, join(storePath, WEIGHTS_FILE));
  try {
    const startMs = engineClockMs();
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      onProgress('profile', round, MAX_ROUNDS);
      for (const lane of allOf(lanes)) await burst(lane, signal);
      await disk.sample();
      if (round + 1 >= MIN_ROUNDS && engineClockMs() - startMs > PATIENCE_MS) break;
    }
  } finally {
    for (const lane of allOf(lanes)) await lane.model.close();
  }
  const profile = toProfile(engine, manifest, lanes, disk);
  await writeProfile(storePath, profile);
  onProgress('profile', MAX_ROUNDS, MAX_ROUNDS);
  return profile;
}

/** A program that is measured, and what came out. */
interface Lane {
  readonly planned: PlannedProgram;
  readonly model: EngineModel;
  readonly results: InferenceResult[];
}

interface Lanes {
  /** Each layer a step of its own, reads and computing taking turns. */
  readonly apart: Lane;
  /** The network in one piece, where memory allows. */
  readonly whole: Lane | undefined;
  /** Streamed, in small steps and in large. */
  readonly fine: Lane;
  readonly coarse: Lane;
}

function allOf({ apart, whole, fine, coarse }: Lanes): Lane[] {
  return whole ? [apart, whole, fine, coarse] : [apart, fine, coarse];
}

async function openLanes(engine: Engine, storePath: string, manifest: StoreManifest): Promise<Lanes> {
  const opened: Lane[] = [];
  const open = async (planned: PlannedProgram): Promise<Lane> => {
    const model = await engine.loadProgram(storePath, manifest, planned.program, planned.detail);
    const lane = { planned, model, results: [] };
    opened.push(lane);
    return lane;
  };
  try {
    const [fine, coarse] = probePrograms(manifest);
    const weights = manifest.layers.reduce((sum, layer) => sum + layer.byteLength, 0);
    const fits = weights <= RESIDENT_SHARE * freemem();
    return {
      apart: await open(profilingProgram(manifest)),
      whole: fits ? await open(planProgram(manifest, undefined, 'resident', Infinity)) : undefined,
      fine: await open(fine),
      coarse: await open(coarse),
    };
  } catch (error) {
    for (const lane of opened) await lane.model.close();
    throw error;
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

type DiskFigures = NonNullable<StoreProfile['smallRing']>;

/** Read rates of all readers, and of one with reads of two sizes, into large and into small memory. */
class DiskSamples {
  private readonly large: DiskSample[] = [];
  private readonly small: DiskSample[] = [];
  private readonly isEmpty: boolean;

  constructor(
    private readonly engine: Engine,
    private readonly path: string,
  ) {
    this.isEmpty = statSync(path).size === 0;
  }

  async sample(): Promise<void> {
    if (this.isEmpty) return;
    this.large.push(await this.measure(LARGE_RING_BYTES));
    this.small.push(await this.measure(SMALL_RING_BYTES));
  }

  figures(): Pick<StoreProfile, 'readers' | 'smallRing'> & DiskFigures {
    const { readers } = this.engine;
    if (this.isEmpty) {
      return { readers, readBytesPerSec: NO_DISK_RATE, readerBytesPerSec: NO_DISK_RATE, readLatencyMs: 0 };
    }
    return {
      readers,
      ...diskFigures(this.large, LARGE_RING_BYTES / 4, readers),
      smallRing: diskFigures(this.small, SMALL_RING_BYTES / 4, readers),
    };
  }

  private async measure(memoryBytes: number): Promise<DiskSample> {
    const chunkBytes = memoryBytes / 4;
    const one = { parallel: 1, totalBytes: ONE_READER_BYTES, memoryBytes };
    return {
      all: await this.engine.measureReads(this.path, {
        chunkBytes,
        memoryBytes,
        totalBytes: ALL_READERS_BYTES,
      }),
      oneLarge: await this.engine.measureReads(this.path, { chunkBytes, ...one }),
      oneSmall: await this.engine.measureReads(this.path, { chunkBytes: SMALL_READ_BYTES, ...one }),
    };
  }
}

/** Bytes per second. */
interface DiskSample {
  readonly all: number;
  readonly oneLarge: number;
  readonly oneSmall: number;
}

/** A read of n bytes by one reader takes latency + n / rate: two sizes give both. */
function diskFigures(samples: readonly DiskSample[], largeBytes: number, readers: number): DiskFigures {
  const largeSec = largeBytes / median(samples.map((sample) => sample.oneLarge));
  const smallSec = SMALL_READ_BYTES / median(samples.map((sample) => sample.oneSmall));
  const readBytesPerSec = median(samples.map((sample) => sample.all));
  const rate = (largeBytes - SMALL_READ_BYTES) / Math.max(1e-6, largeSec - smallSec);
  const readerBytesPerSec = Math.min(4 * readBytesPerSec, Math.max(readBytesPerSec / readers, rate));
  const readLatencyMs = Math.max(0.01, (smallSec - SMALL_READ_BYTES / readerBytesPerSec) * 1000);
  return { readBytesPerSec, readerBytesPerSec, readLatencyMs };
}

function toProfile(engine: Engine, manifest: StoreManifest, lanes: Lanes, disk: DiskSamples): StoreProfile {
  const bare: StoreProfile = {
    format: 2,
    threads: engine.info.threads,
    layerMs: layerMedians(manifest, lanes.apart.results),
    stepMs: stepCost(lanes),
    ...disk.figures(),
    streamedStepMs: 0,
    computeSlowdown: 1,
    readSlowdown: 1,
    correction: 1,
  };
  const small = overlap(manifest, bare, lanes.fine);
  const large = overlap(manifest, bare, lanes.coarse);
  const readMs = (lanes.coarse.planned.detail.streamedBytesPerRun / bare.readBytesPerSec) * 1000;
  const readSlowdown = slowdown(large.bothMs, readMs - (large.readMs - large.bothMs));
  const fitted: StoreProfile = { ...bare, ...fitSlowdown(small, large), readSlowdown };
  return { ...fitted, correction: correctionOf(manifest, fitted, [lanes.fine, lanes.coarse]) };
}

/** What cutting the network into steps costs per step, from the same network in one piece. */
function stepCost({ apart, whole }: Lanes): number {
  const steps = apart.planned.program.steps.length;
  if (!whole || steps < 2) return TYPICAL_STEP_MS;
  const extraMs =
    median(apart.results.map(computeMs)) - median(whole.results.map((result) => result.totalMs));
  return Math.min(0.2, Math.max(0.005, extraMs / (steps - 1)));
}

function overlap(manifest: StoreManifest, profile: StoreProfile, lane: Lane): Overlap {
  const overlaps = lane.results.map(overlapOf);
  const figure = (pick: (overlap: ReturnType<typeof overlapOf>) => number): number =>
    median(overlaps.map(pick));
  const { stepMs } = pipelineTimes(manifest, profile, lane.planned.program);
  return {
    steps: stepMs.length,
    expectedMs: stepMs.reduce((sum, ms) => sum + ms, 0),
    computeMs: figure((item) => item.computeMs),
    readMs: figure((item) => item.readMs),
    bothMs: figure((item) => item.bothMs),
  };
}

/** What the simulation misses of streamed runs, as a factor: the measured over the simulated latency. */
function correctionOf(manifest: StoreManifest, profile: StoreProfile, lanes: readonly Lane[]): number {
  const ratios = lanes.map(({ planned, results }) => {
    const measuredMs = median(results.map((result) => result.totalMs));
    return measuredMs / Math.max(1e-6, predictMs(manifest, profile, planned.program));
  });
  const factor = Math.sqrt(ratios.reduce((product, ratio) => product * ratio, 1));
  return Math.min(MAX_CORRECTION, Math.max(1 / MAX_CORRECTION, factor));
}
