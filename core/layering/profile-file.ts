import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SluiceError, type MeasuredPoint, refuseNewer } from '../contract';
import { faultText, ioError, isDiskFault, listOf, withLock, writeFileAtomic } from '../storage';

export const PROFILE_FILE = 'profile.json';
const MEASURED_FILE = 'measured.json';

/** A profile of another format says nothing here; its store counts as never profiled. */
const PROFILE_FORMAT = 3;

/** Far beyond any machine. Predictions play these figures: with made-up ones time would stand still, or be no number. */
const MOST_MS = 1e9;
const rate = z.number().min(1).max(1e15);
const factor = z.number().min(1e-3).max(1e6);
const MOST_READERS = 1024;
const MOST_RINGS = 64;

const ringProfile = z.object({
  ringBytes: z.number().int().nonnegative(),
  /** All readers together, nothing being computed. */
  readBytesPerSec: rate,
  /** One reader alone: rate once a read has begun, and what beginning one costs. */
  readerBytesPerSec: rate,
  readLatencyMs: z.number().nonnegative().max(MOST_MS),
  /** Compute takes this many times as long while reads go on. */
  computeSlowdown: factor,
  /** Reads take this many times as long while compute goes on; at least 1. */
  readSlowdown: factor.min(1),
  /** Measured over simulated latency with all weights streamed: what the simulation misses. */
  correction: factor,
});

/** How reading through a ring of one size went. */
export type RingProfile = z.infer<typeof ringProfile>;

const profile = z.object({
  format: z.literal(PROFILE_FORMAT),
  threads: z.number().int().positive(),
  /** Compute time of each layer, milliseconds, median, with nothing being read. */
  layerMs: z.array(z.number().nonnegative().max(MOST_MS)),
  /** What one more step costs: the call, and waking the thread pool. */
  stepMs: z.number().nonnegative().max(MOST_MS),
  /** Threads that read. */
  readers: z.number().int().positive().max(MOST_READERS),
  /** From the least ring on, one or more. */
  rings: z.array(ringProfile).min(1).max(MOST_RINGS),
});

/** What one profiling run measured about a store on this machine. */
export type StoreProfile = z.infer<typeof profile>;

/** Figures for a ring of any size: between two measured ones by the ratio of sizes, beyond them as the nearest. */
export function ringFigures({ rings }: StoreProfile, ringBytes: number): RingProfile {
  const above = rings.findIndex((ring) => ring.ringBytes >= ringBytes);
  const upper = rings[above] ?? rings.at(-1);
  const lower = rings[above - 1];
  if (!upper) throw new Error('A profile has at least one ring.');
  if (!lower || ringBytes === upper.ringBytes) return { ...upper, ringBytes };
  const share = Math.log(ringBytes / lower.ringBytes) / Math.log(upper.ringBytes / lower.ringBytes);
  const mix = (figure: (ring: RingProfile) => number): number =>
    figure(lower) ** (1 - share) * figure(upper) ** share;
  return {
    ringBytes,
    readBytesPerSec: mix((ring) => ring.readBytesPerSec),
    readerBytesPerSec: mix((ring) => ring.readerBytesPerSec),
    readLatencyMs: mix((ring) => ring.readLatencyMs),
    computeSlowdown: mix((ring) => ring.computeSlowdown),
    readSlowdown: mix((ring) => ring.readSlowdown),
    correction: mix((ring) => ring.correction),
  };
}

/** Direct read rate at best, bytes per second. */
export function readRateOf({ rings }: StoreProfile): number {
  return Math.max(...rings.map((ring) => ring.readBytesPerSec));
}

/** @returns undefined when the store was never profiled. @throws SluiceError `corrupt-store`, `io`. */
export function readProfile(storePath: string): StoreProfile | undefined {
  const known = z.union([
    profile,
    z.object({ format: z.number().refine((found) => found !== PROFILE_FORMAT) }),
  ]);
  const found = readJson(join(storePath, PROFILE_FILE), known);
  return found && 'layerMs' in found ? found : undefined;
}

/**
 * Replaces what was known; what can't be read is kept with `.damaged` to its name.
 * @throws SluiceError `unsupported` when a newer Sluice profiled this store, `io`.
 */
export async function writeProfile(storePath: string, value: StoreProfile): Promise<void> {
  const path = join(storePath, PROFILE_FILE);
  const known = orSetAside(path, () => readJson(path, z.unknown()));
  refuseNewer(known, 'format', { path, what: "a store's profile", known: PROFILE_FORMAT });
  orSetAside(path, () => readProfile(storePath));
  await writeFileAtomic(path, JSON.stringify(value));
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
export function readMeasured(storePath: string): readonly MeasuredPoint[] {
  return readJson(join(storePath, MEASURED_FILE), listOf(measuredPoint)) ?? [];
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

/** Remembers a latency, see `withMeasurement`; keeps what can't be read as `writeProfile` does. @throws SluiceError `io`, `conflict`. */
export async function recordMeasurement(storePath: string, point: MeasuredPoint): Promise<void> {
  const path = join(storePath, MEASURED_FILE);
  // Another engine on this library may be recording its own.
  await withLock(`${path}.lock`, async () => {
    const points = orSetAside(path, () => readMeasured(storePath)) ?? [];
    await writeFileAtomic(path, JSON.stringify(withMeasurement(points, point)));
  });
}

/** What `read` gives; undefined when the file is damaged, after which a copy of it is kept. */
function orSetAside<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (SluiceError.from(thrown).code !== 'corrupt-store') throw thrown;
    copyFileSync(path, `${path}.damaged`);
    return undefined;
  }
}

function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    if (isDiskFault(cause)) throw ioError(`Can't read ${path}`, cause);
    throw new SluiceError(
      'corrupt-store',
      `${path} is damaged (${faultText(cause)}). Delete it, or import the model again: then it is measured anew.`,
      { path },
      { cause },
    );
  }
}
