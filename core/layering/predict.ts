import type { StoreManifest } from './manifest';
import { ringFigures, type StoreProfile } from './profile-file';
import { ringPieces, type Program, type Step } from './program';
import { streamableBytes } from './program-memory';
import { scheduleStream, type StreamSchedule } from './schedule';
import { simulate, type PipelineTimes } from './simulate';

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
  if (!schedule || program.mode === 'sequential') return totalMs;
  // The correction was measured with everything streamed.
  const streamed = schedule.operations.reduce((sum, operation) => sum + operation.byteLength, 0);
  const share = Math.min(1, streamed / Math.max(1, streamableBytes(manifest)));
  return totalMs * (1 + share * (ringFigures(profile, program.ringBytes).correction - 1));
}

/** What the simulation needs to know about a program. */
export function pipelineTimes(
  manifest: StoreManifest,
  profile: StoreProfile,
  program: Program,
): PipelineTimes {
  const ring = ringFigures(profile, program.ringBytes);
  return {
    stepMs: Float64Array.from(program.steps, (step) => stepMs(manifest, profile, step)),
    readers: profile.readers,
    bytesPerMs: ring.readBytesPerSec / 1000,
    readerBytesPerMs: ring.readerBytesPerSec / 1000,
    readLatencyMs: ring.readLatencyMs,
    computeSlowdown: ring.computeSlowdown,
    readSlowdown: ring.readSlowdown,
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
