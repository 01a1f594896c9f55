import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SluiceError, type MeasuredPoint } from '../contract';
import { withLock, writeFileAtomic } from '../storage';

export const PROFILE_FILE = 'profile.json';
const MEASURED_FILE = 'measured.json';

/** A profile of another format says nothing here; its store counts as never profiled. */
const PROFILE_FORMAT = 2;

const profile = z.object({
  format: z.literal(PROFILE_FORMAT),
  threads: z.number().int().positive(),
  /** Compute time of each layer, milliseconds, median, with nothing being read. */
  layerMs: z.array(z.number().nonnegative()),
  /** What one more step costs: the call, and waking the thread pool. */
  stepMs: z.number().nonnegative(),
  /** What one more step costs on top while reads go on. */
  streamedStepMs: z.number().nonnegative(),
  /** Threads that read. */
  readers: z.number().int().positive(),
  /** All readers together, large reads, nothing being computed. */
  readBytesPerSec: z.number().positive(),
  /** One reader alone: rate once a read has begun, and what beginning one costs. */
  readerBytesPerSec: z.number().positive(),
  readLatencyMs: z.number().nonnegative(),
  /** The same figures for rings too small for large memory pages. */
  smallRing: z
    .object({
      readBytesPerSec: z.number().positive(),
      readerBytesPerSec: z.number().positive(),
      readLatencyMs: z.number().nonnegative(),
    })
    .optional(),
  /** Compute takes this many times as long while reads go on; at least 1. */
  computeSlowdown: z.number().min(1),
  /** Reads take this many times as long while compute goes on; at least 1. */
  readSlowdown: z.number().min(1),
  /** Measured over simulated latency of streamed runs: what the simulation misses. */
  correction: z.number().positive().default(1),
});

/** What one profiling run measured about a store on this machine. */
export type StoreProfile = z.infer<typeof profile>;

/** @returns undefined when the store was never profiled. @throws SluiceError `corrupt-store`. */
export function readProfile(storePath: string): StoreProfile | undefined {
  const known = z.union([
    profile,
    z.object({ format: z.number().refine((found) => found !== PROFILE_FORMAT) }),
  ]);
  const found = readJson(join(storePath, PROFILE_FILE), known);
  return found && 'layerMs' in found ? found : undefined;
}

export async function writeProfile(storePath: string, value: StoreProfile): Promise<void> {
  await writeFileAtomic(join(storePath, PROFILE_FILE), JSON.stringify(value));
}

const measuredPoint = z.object({
  budgetBytes: z.number(),
  mode: z.enum(['resident', 'sequential', 'sync', 'async']),
  medianMs: z.number(),
  p10Ms: z.number(),
  p90Ms: z.number(),
  runs: z.number().int(),
});

/** Latencies that runs of this store had, newest last. */
export function readMeasured(storePath: string): MeasuredPoint[] {
  return readJson(join(storePath, MEASURED_FILE), z.array(measuredPoint)) ?? [];
}

const MAX_MEASURED = 64;

/** Fewer inferences say little: they don't replace what so many measured. */
const WELL_MEASURED = 3;

/** The points with one more, which replaces an earlier one of the same mode and budget. */
export function withMeasurement(
  points: readonly MeasuredPoint[],
  point: MeasuredPoint,
): readonly MeasuredPoint[] {
  const isSame = (known: MeasuredPoint): boolean =>
    known.mode === point.mode && known.budgetBytes === point.budgetBytes;
  const known = points.find(isSame);
  if (known && known.runs >= WELL_MEASURED && point.runs < WELL_MEASURED) return points;
  return [...points.filter((other) => !isSame(other)), point].slice(-MAX_MEASURED);
}

/** Remembers a latency, see `withMeasurement`. @throws SluiceError `io`, `conflict`, `corrupt-store`. */
export async function recordMeasurement(storePath: string, point: MeasuredPoint): Promise<void> {
  const path = join(storePath, MEASURED_FILE);
  // Another engine on this library may be recording its own.
  await withLock(`${path}.lock`, async () => {
    await writeFileAtomic(path, JSON.stringify(withMeasurement(readMeasured(storePath), point)));
  });
}

function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new SluiceError(
      'corrupt-store',
      `${path} can't be read; delete it, or import the model again.`,
      { path },
      { cause },
    );
  }
}
