import { formatBytes } from '../base';
import {
  SluiceError,
  type CurvePoint,
  type LayerPlacement,
  type MemoryDelayCurve,
  type MeasuredPoint,
  type PipelineMode,
  type PlanDetail,
} from '../contract';
import { alignUp } from '../storage';
import type { StoreManifest } from './manifest';
import type { StoreProfile } from './profile-file';
import {
  gatherBufferBytes,
  layerRanges,
  residentRanges,
  ringPieces,
  type Program,
  type Step,
} from './program';
import { scheduleStream, type StreamSchedule } from './schedule';
import { simulate, type PipelineTimes } from './simulate';
import { cutSteps, leastStepBytes, sumBytes, type Cut } from './split';

/** Reads of this size reach the disk's full rate; smaller rings read in smaller pieces. */
const MAX_CHUNK_BYTES = 1 << 20;
/** Parts of a ring: a step may take one, so that others can be read meanwhile. */
const STEPS_PER_RING = 4;
/** From this size on the ring gets large memory pages, into which reads are faster. */
const LARGE_PAGE_BYTES = 2 << 20;
/** Memory objects come in pieces of this size. */
const PAGE_BYTES = 65_536;

/** A program and what it promises. */
export interface PlannedProgram {
  readonly program: Program;
  readonly detail: PlanDetail;
}

/**
 * Chooses cuts, resident layers and ring size for a byte budget: of some candidates, the one with the least predicted
 * latency. Without a profile nothing is known about time, and the most bytes stay resident.
 * @throws SluiceError `budget-too-small` with `details.minimumBytes`.
 */
export function planProgram(
  manifest: StoreManifest,
  profile: StoreProfile | undefined,
  mode: PipelineMode,
  budgetBytes: number,
): PlannedProgram {
  const total = residentTotalBytes(manifest);
  if (mode === 'resident') {
    if (budgetBytes < total) throw budgetError(manifest, mode, budgetBytes, total);
    return describe(manifest, profile, mode, budgetBytes, residentProgram(manifest, mode));
  }
  const minimum = minimumBudget(manifest, mode);
  if (budgetBytes < minimum) throw budgetError(manifest, mode, budgetBytes, minimum);
  if (mode === 'async' && budgetBytes >= total) {
    return describe(manifest, profile, mode, budgetBytes, residentProgram(manifest, mode));
  }
  const candidates = candidatePrograms(manifest, profile, mode, budgetBytes).map((program) =>
    describe(manifest, profile, mode, budgetBytes, program),
  );
  const [first, ...others] = candidates.filter(({ detail }) => detail.parameterMemoryBytes <= budgetBytes);
  if (!first) {
    // A buffer for streaming a small network can take more than the network.
    if (budgetBytes >= total)
      return describe(manifest, profile, mode, budgetBytes, residentProgram(manifest, mode));
    throw budgetError(manifest, mode, budgetBytes, minimum);
  }
  return others.reduce((best, next) => (isBetter(next.detail, best.detail) ? next : best), first);
}

function isBetter(a: PlanDetail, b: PlanDetail): boolean {
  if (a.predictedMs !== b.predictedMs) return a.predictedMs < b.predictedMs;
  return a.streamedBytesPerRun < b.streamedBytesPerRun;
}

/** Parameter memory with every layer in it. */
export function residentTotalBytes(manifest: StoreManifest): number {
  return memoryOf(manifest, residentProgram(manifest, 'resident')).totalBytes;
}

/** Least parameter memory a mode can run in. */
export function minimumBudget(manifest: StoreManifest, mode: PipelineMode): number {
  if (mode === 'resident') return residentTotalBytes(manifest);
  const ringBytes = minimumRing(manifest, mode);
  const program = streamingProgram(
    manifest,
    mode,
    ringBytes,
    stepLimit(manifest, mode, ringBytes),
    ringBytes,
    none,
  );
  return Math.min(memoryOf(manifest, program).totalBytes, residentTotalBytes(manifest));
}

const none: Pick<Cut, 'isResident' | 'residentUnits'> = { isResident: () => false, residentUnits: () => 0 };

/**
 * The least ring: it has to hold the largest indivisible part (twice where reads overlap compute), and enough for
 * reads that are not much slower than large ones: 1/32 of all weights, between 1 MiB and 8 MiB.
 */
function minimumRing(manifest: StoreManifest, mode: PipelineMode): number {
  const part = Math.max(0, ...manifest.layers.map(leastStepBytes));
  const streamed = manifest.layers.reduce((sum, layer) => sum + (layer.gather ? 0 : layer.byteLength), 0);
  const useful = Math.min(8 << 20, Math.max(1 << 20, streamed / 32));
  const wanted = mode === 'sequential' ? Math.max(part, useful / 2) : Math.max(2 * part, useful);
  return pageAlign(Math.min(wanted, Math.max(2 * part, streamed)));
}

function stepLimit(manifest: StoreManifest, mode: PipelineMode, ringBytes: number): number {
  if (mode === 'sequential') return ringBytes;
  if (mode === 'sync') return Math.floor(ringBytes / 2 / 4096) * 4096;
  const part = Math.max(0, ...manifest.layers.map(leastStepBytes));
  return Math.max(part, ringBytes / STEPS_PER_RING);
}

function residentProgram(manifest: StoreManifest, mode: PipelineMode): Program {
  const steps = cutSteps(manifest, {
    isResident: () => true,
    residentUnits: () => 0,
    maxStepBytes: 0,
    joinBytes: 0,
  });
  return { mode, steps, ringBytes: 0, chunkBytes: MAX_CHUNK_BYTES };
}

function streamingProgram(
  manifest: StoreManifest,
  mode: Exclude<PipelineMode, 'resident'>,
  ringBytes: number,
  maxStepBytes: number,
  joinBytes: number,
  residency: Pick<Cut, 'isResident' | 'residentUnits'>,
): Program {
  const steps = cutSteps(manifest, {
    ...residency,
    maxStepBytes,
    joinBytes: Math.min(joinBytes, maxStepBytes),
  });
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(65_536, alignUp(ringBytes / STEPS_PER_RING)));
  return { mode, steps, ringBytes, chunkBytes };
}

/** A layer is measured whole unless it is larger than this. */
const PROFILE_STEP_BYTES = 64 << 20;

/** Every layer a step of its own, reads and computing taking turns, so that each is measured undisturbed. */
export function profilingProgram(manifest: StoreManifest): PlannedProgram {
  const largest = Math.max(
    ...manifest.layers.map((layer) => (layer.gather ? 0 : sumBytes(layerRanges(layer)))),
  );
  const part = Math.max(...manifest.layers.map(leastStepBytes));
  const ringBytes = pageAlign(Math.max(part, Math.min(largest, PROFILE_STEP_BYTES)));
  const program = streamingProgram(manifest, 'sequential', ringBytes, ringBytes, 0, none);
  return describe(manifest, undefined, 'sequential', Infinity, program);
}

/** Two streamed programs to measure how reading and computing disturb each other: in small steps, and in large. */
export function probePrograms(manifest: StoreManifest): [fine: PlannedProgram, coarse: PlannedProgram] {
  const least = minimumRing(manifest, 'async');
  const streamed = manifest.layers.reduce((sum, layer) => sum + (layer.gather ? 0 : layer.byteLength), 0);
  const most = pageAlign(Math.max(least, Math.min(4 * least, streamed / 2)));
  const probe = (ringBytes: number, joinBytes: number): PlannedProgram => {
    const limit = stepLimit(manifest, 'async', ringBytes);
    return describe(
      manifest,
      undefined,
      'async',
      Infinity,
      streamingProgram(manifest, 'async', ringBytes, limit, joinBytes, none),
    );
  };
  return [probe(least, 256 << 10), probe(most, most)];
}

function candidatePrograms(
  manifest: StoreManifest,
  profile: StoreProfile | undefined,
  mode: Exclude<PipelineMode, 'resident'>,
  budgetBytes: number,
): Program[] {
  const programs: Program[] = [];
  for (const ringBytes of ringCandidates(manifest, mode, budgetBytes)) {
    const maxStepBytes = stepLimit(manifest, mode, ringBytes);
    for (const joinBytes of joinCandidates(maxStepBytes)) {
      const bare = streamingProgram(manifest, mode, ringBytes, maxStepBytes, joinBytes, none);
      const spareBytes = budgetBytes - memoryOf(manifest, bare).totalBytes;
      if (spareBytes < 0) continue;
      programs.push(bare);
      for (const order of residencyOrders(manifest, profile)) {
        const residency = chooseResident(manifest, order, spareBytes - 2 * PAGE_BYTES);
        programs.push(streamingProgram(manifest, mode, ringBytes, maxStepBytes, joinBytes, residency));
      }
    }
  }
  return programs;
}

/** How large joined steps may get: small ones overlap better, large ones cost less. */
function joinCandidates(maxStepBytes: number): number[] {
  return [256 << 10, 1 << 20, 4 << 20].filter((bytes) => bytes < maxStepBytes).concat(maxStepBytes);
}

function ringCandidates(manifest: StoreManifest, mode: PipelineMode, budgetBytes: number): number[] {
  const least = minimumRing(manifest, mode);
  const sizes = [least];
  for (let size = least * 2; size < budgetBytes && sizes.length < 7; size *= 2) sizes.push(pageAlign(size));
  const most = Math.floor((budgetBytes * 0.98 - 4 * PAGE_BYTES) / PAGE_BYTES) * PAGE_BYTES;
  if (most > least) sizes.push(most);
  return sizes;
}

/** Orders in which layers may become resident: by least compute per byte (they stall most), and as they come. */
function residencyOrders(manifest: StoreManifest, profile: StoreProfile | undefined): number[][] {
  const layers = manifest.layers.map((_, index) => index).filter((index) => !manifest.layers[index]?.gather);
  if (!profile) return [layers];
  const density = (index: number): number =>
    (profile.layerMs[index] ?? 0) / Math.max(1, manifest.layers[index]?.byteLength ?? 1);
  return [[...layers].sort((a, b) => density(a) - density(b)), layers];
}

function chooseResident(
  manifest: StoreManifest,
  order: readonly number[],
  spareBytes: number,
): Pick<Cut, 'isResident' | 'residentUnits'> {
  const whole = new Set<number>();
  const units = new Map<number, number>();
  let left = spareBytes;
  for (const index of order) {
    const layer = manifest.layers[index];
    if (!layer || left <= 0) continue;
    const bytes = sumBytes(layerRanges(layer));
    if (bytes <= left) {
      whole.add(index);
      left -= bytes;
    } else if (layer.tiling) {
      const count = Math.floor(left / (layer.tiling.unitRows * layer.tiling.rowBytes));
      units.set(index, count);
      left -= count * layer.tiling.unitRows * layer.tiling.rowBytes;
    }
  }
  return { isResident: (layer) => whole.has(layer), residentUnits: (layer) => units.get(layer) ?? 0 };
}

interface ProgramMemory {
  readonly ringBytes: number;
  readonly residentBytes: number;
  readonly constantBytes: number;
  readonly totalBytes: number;
}

/** What a program will allocate, as `WeightMemory` does it. */
function memoryOf(manifest: StoreManifest, program: Program): ProgramMemory {
  const isStreaming = program.steps.some((step) => step.ring.length > 0);
  const tables = program.steps
    .filter((step) => step.kind === 'gather' && step.resident.length === 0)
    .map((step) => pageAlign(gatherBufferBytes(manifest.layers[step.first]?.gather?.rowBytes ?? 0)));
  const ringBytes =
    (isStreaming ? pageAlign(program.ringBytes) : 0) + tables.reduce((sum, bytes) => sum + bytes, 0);
  const residentSum = sumBytes(residentRanges(program));
  const residentBytes = residentSum === 0 ? 0 : pageAlign(residentSum);
  const constantBytes = manifest.layers.reduce((sum, layer) => sum + layer.constantBytes, 0);
  return { ringBytes, residentBytes, constantBytes, totalBytes: ringBytes + residentBytes + constantBytes };
}

function describe(
  manifest: StoreManifest,
  profile: StoreProfile | undefined,
  mode: PipelineMode,
  budgetBytes: number,
  program: Program,
): PlannedProgram {
  const memory = memoryOf(manifest, program);
  const schedule = programSchedule(program);
  const streamed = schedule?.operations.reduce((sum, operation) => sum + operation.byteLength, 0) ?? 0;
  const predictedMs = profile ? predictMs(manifest, profile, program) : 0;
  const detail: PlanDetail = {
    model: manifest.source.file,
    mode,
    budgetBytes: budgetBytes === Infinity ? memory.totalBytes : budgetBytes,
    parameterMemoryBytes: memory.totalBytes,
    ringBytes: memory.ringBytes,
    residentBytes: memory.residentBytes,
    constantBytes: memory.constantBytes,
    streamedBytesPerRun: streamed,
    segments: program.steps.length,
    predictedMs,
    placement: manifest.layers.map((_, index) => placementOf(manifest, program, index)),
  };
  return { program, detail };
}

/** The stream of a program; undefined when it reads nothing. */
export function programSchedule(program: Program): StreamSchedule | undefined {
  const pieces = ringPieces(program);
  if (program.mode === 'resident' || pieces.length === 0) return undefined;
  const { mode, ringBytes, chunkBytes, steps } = program;
  return scheduleStream(pieces, { mode, ringBytes, chunkBytes, steps: steps.length });
}

function placementOf(manifest: StoreManifest, program: Program, index: number): LayerPlacement {
  const layer = manifest.layers[index];
  if (!layer || layer.byteLength === 0) return 'none';
  const steps = program.steps.filter((step) => step.first <= index && index <= step.last);
  const isTable = steps.some((step) => step.kind === 'gather' && step.resident.length === 0);
  const inRing = steps.some((step) => step.ring.some((range) => isWithin(range, layer)));
  return isTable || inRing ? 'streamed' : 'resident';
}

function isWithin(range: { fileOffset: number }, layer: { fileOffset: number; byteLength: number }): boolean {
  return range.fileOffset >= layer.fileOffset && range.fileOffset < layer.fileOffset + layer.byteLength;
}

/** Share of a tiled layer's time that its tiles take; the rest is what follows the heavy node. */
const TILED_SHARE = 0.95;

/** Latency of a program by a profile, milliseconds. */
export function predictMs(manifest: StoreManifest, profile: StoreProfile, program: Program): number {
  const schedule = programSchedule(program);
  const { totalMs } = simulate(schedule, pipelineTimes(manifest, profile, program));
  return schedule && program.mode !== 'sequential' ? totalMs * profile.correction : totalMs;
}

/** What the simulation needs to know about a program. */
export function pipelineTimes(
  manifest: StoreManifest,
  profile: StoreProfile,
  program: Program,
): PipelineTimes {
  const isOverlapped = (program.mode === 'async' && program.ringBytes > 0) || program.mode === 'sync';
  const extraMs = isOverlapped ? profile.streamedStepMs : 0;
  const disk = program.ringBytes < LARGE_PAGE_BYTES ? (profile.smallRing ?? profile) : profile;
  return {
    stepMs: Float64Array.from(program.steps, (step) => extraMs + stepMs(manifest, profile, step)),
    readers: profile.readers,
    bytesPerMs: disk.readBytesPerSec / 1000,
    readerBytesPerMs: disk.readerBytesPerSec / 1000,
    readLatencyMs: disk.readLatencyMs,
    computeSlowdown: profile.computeSlowdown,
    readSlowdown: profile.readSlowdown,
  };
}

function stepMs(manifest: StoreManifest, profile: StoreProfile, step: Step): number {
  const layerMs = (index: number): number => Math.max(0, (profile.layerMs[index] ?? 0) - profile.stepMs);
  if (step.kind === 'tile' && step.rows) {
    const rows = manifest.layers[step.first]?.tiling?.rows ?? 1;
    return profile.stepMs + layerMs(step.first) * TILED_SHARE * (step.rows.count / rows);
  }
  if (step.kind === 'rest') return profile.stepMs + layerMs(step.first) * (1 - TILED_SHARE);
  let ms = profile.stepMs;
  for (let index = step.first; index <= step.last; index += 1) ms += layerMs(index);
  return ms;
}

const CURVE_POINTS = 20;

/** Predicted latency from the least budget to all resident, in steps of equal ratio. */
export function memoryDelayCurve(
  manifest: StoreManifest,
  profile: StoreProfile,
  mode: PipelineMode,
  measured: readonly MeasuredPoint[],
): MemoryDelayCurve {
  const totalBytes = residentTotalBytes(manifest);
  const minimumBytes = minimumBudget(manifest, mode);
  const ratio = Math.max(1, totalBytes / Math.max(1, minimumBytes)) ** (1 / (CURVE_POINTS - 1));
  const budgets = Array.from({ length: CURVE_POINTS }, (_, at) =>
    at === CURVE_POINTS - 1 ? totalBytes : Math.ceil(minimumBytes * ratio ** at),
  );
  let best: PlanDetail | undefined;
  const points = [...new Set(budgets)].map((budgetBytes): CurvePoint => {
    const { detail } = planProgram(manifest, profile, mode, budgetBytes);
    // The candidates of a budget are a sample; what a smaller one allows is allowed here too.
    if (!best || detail.predictedMs <= best.predictedMs) best = detail;
    const { predictedMs, ringBytes, residentBytes, placement } = best;
    const residentLayers = placement.filter((place) => place === 'resident').length;
    return { budgetBytes, predictedMs, ringBytes, residentBytes, residentLayers };
  });
  const streamed = manifest.layers.reduce((sum, layer) => sum + (layer.gather ? 0 : layer.byteLength), 0);
  return {
    model: manifest.source.file,
    mode,
    minimumBytes,
    totalBytes,
    residentMs: planProgram(manifest, profile, 'resident', Infinity).detail.predictedMs,
    readLimitMs: (streamed / profile.readBytesPerSec) * 1000,
    readBytesPerSec: profile.readBytesPerSec,
    points,
    measured: measured.filter((point) => point.mode === mode || point.mode === 'resident'),
  };
}

function pageAlign(bytes: number): number {
  return alignUp(Math.max(1, bytes), PAGE_BYTES);
}

function budgetError(
  manifest: StoreManifest,
  mode: PipelineMode,
  budgetBytes: number,
  minimumBytes: number,
): SluiceError {
  return new SluiceError(
    'budget-too-small',
    `${manifest.source.file} needs at least ${formatBytes(minimumBytes)} (${minimumBytes} bytes) of parameter memory ` +
      `in mode ${mode}; the budget is ${formatBytes(budgetBytes)} (${budgetBytes} bytes). Raise the budget` +
      (mode === 'resident' ? ', or stream it in mode async.' : '.'),
    { minimumBytes, budgetBytes, mode },
  );
}
