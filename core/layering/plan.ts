import { setImmediate as nextTurn } from 'node:timers/promises';
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
import {
  candidatePrograms,
  layerwiseProgram,
  minimumRing,
  none,
  residentProgram,
  stepLimit,
  streamingProgram,
} from './candidates';
import type { StoreManifest } from './manifest';
import { predictMs, programSchedule } from './predict';
import { readRateOf, type StoreProfile } from './profile-file';
import { layerRanges, type Program } from './program';
import { memoryOf, pageAlign, streamableBytes } from './program-memory';
import { leastStepBytes, sumBytes } from './split';

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

/** Every layer a step of its own, all in memory. */
export function layersResidentProgram(manifest: StoreManifest): PlannedProgram {
  return describe(manifest, undefined, 'resident', Infinity, layerwiseProgram(manifest));
}

/** Each measured ring is so many times the one before. */
const RING_RATIO = 4;
const MAX_PROBES = 3;
const MAX_PROBE_BYTES = 64 << 20;

/** Streamed programs, from the least ring on: how reading and computing disturb each other. */
export function probePrograms(manifest: StoreManifest): PlannedProgram[] {
  const least = minimumRing(manifest, 'async');
  const most = Math.max(least, Math.min(MAX_PROBE_BYTES, streamableBytes(manifest) / 2));
  const sizes = Array.from({ length: MAX_PROBES }, (_, at) =>
    pageAlign(Math.min(most, least * RING_RATIO ** at)),
  );
  return [...new Set(sizes)].map((ringBytes) => {
    const limit = stepLimit(manifest, 'async', ringBytes);
    const program = streamingProgram(manifest, 'async', ringBytes, limit, limit, none);
    return describe(manifest, undefined, 'async', Infinity, program);
  });
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

const CURVE_POINTS = 20;

/**
 * Predicted latency from the least budget to all resident, in steps of equal ratio. A large model takes a second: between
 * two budgets the thread answers others.
 */
export async function memoryDelayCurve(
  manifest: StoreManifest,
  profile: StoreProfile,
  mode: PipelineMode,
  measured: readonly MeasuredPoint[],
): Promise<MemoryDelayCurve> {
  const totalBytes = residentTotalBytes(manifest);
  const minimumBytes = minimumBudget(manifest, mode);
  const ratio = Math.max(1, totalBytes / Math.max(1, minimumBytes)) ** (1 / (CURVE_POINTS - 1));
  const budgets = Array.from({ length: CURVE_POINTS }, (_, at) =>
    at === CURVE_POINTS - 1 ? totalBytes : Math.ceil(minimumBytes * ratio ** at),
  );
  let best: PlanDetail | undefined;
  const points: CurvePoint[] = [];
  for (const budgetBytes of new Set(budgets)) {
    await nextTurn();
    const { detail } = planProgram(manifest, profile, mode, budgetBytes);
    // The candidates of a budget are a sample; what a smaller one allows is allowed here too.
    if (!best || detail.predictedMs <= best.predictedMs) best = detail;
    const { predictedMs, ringBytes, residentBytes, placement } = best;
    const residentLayers = placement.filter((place) => place === 'resident').length;
    points.push({ budgetBytes, predictedMs, ringBytes, residentBytes, residentLayers });
  }
  const readBytesPerSec = readRateOf(profile);
  return {
    model: manifest.source.file,
    mode,
    minimumBytes,
    totalBytes,
    residentMs: planProgram(manifest, profile, 'resident', Infinity).detail.predictedMs,
    readLimitMs: (streamableBytes(manifest) / readBytesPerSec) * 1000,
    readBytesPerSec,
    points,
    measured: measured.filter((point) => point.mode === mode || point.mode === 'resident'),
  };
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
