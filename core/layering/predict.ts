import type { StoreManifest } from './manifest';
import type { StoreProfile } from './profile-file';
import { ringPieces, type Program, type Step } from './program';
import { scheduleStream, type StreamSchedule } from './schedule';
import { simulate, type PipelineTimes } from './simulate';

/** From this size on the ring gets large memory pages, into which reads are faster. */
const LARGE_PAGE_BYTES = 2 << 20;

/** The stream of a program; undefined when it reads nothing. */
export function programSchedule(program: Program): StreamSchedule | undefined {
  const pieces = ringPieces(program);
  if (program.mode === 'resident' || pieces.length === 0) return undefined;
  const { mode, ringBytes, chunkBytes, steps } = program;
  return scheduleStream(pieces, { mode, ringBytes, chunkBytes, steps: steps.length });
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
