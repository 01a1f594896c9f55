import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { endTick, ringPieces, scheduleStream, ticksPerInference, type Program } from '../../layering';
import { largePageMemoryBytes, nativeMemoryBytes } from '../../ort';
import { paddedBytes, type StoredStep } from './stored-steps';

/** Reads are joined and split to about this size (docs/adr/0008-what-reading-costs.md). */
const CHUNK_BYTES = 2 << 20;
/** From here on, what a ring loses at the end of its last large page is little beside what large pages save. */
const LARGE_PAGES_FROM_BYTES = 8 << 20;
/** One session runs while the next is made. */
const WANTED_SESSIONS = 2;
/** And one is read meanwhile. */
const WANTED_RING_STEPS = 3;

/** How the steps of a store are kept under a budget. */
export interface WeightPlan {
  /** Of all steps, those that stay in memory. */
  readonly resident: ReadonlySet<number>;
  /** The others, in order. */
  readonly streamed: readonly number[];
  /** Sessions made and not yet given back, at most. */
  readonly sessions: number;
  /** Of streamed steps only; without any, none. */
  readonly program: Program | undefined;
  readonly pages: 'large' | 'small';
  readonly residentBytes: number;
  readonly ringBytes: number;
  readonly sessionBytes: number;
}

type Step = Pick<StoredStep, 'fileOffset' | 'byteLength' | 'residentBytes' | 'streamedBytes'>;

/**
 * As many steps stay as fit beside the ring and the sessions under way, spread evenly, so that reads go on all the
 * time; what is streamed is worked on ahead as far as there is room.
 * @throws SluiceError `budget-too-small` with `details.minimumBytes`.
 */
export function planWeights(steps: readonly Step[], budgetBytes: number): WeightPlan {
  const all = planWith(steps, steps.length, 1, 1);
  if (totalBytes(all) <= budgetBytes) return all;
  const least = planWith(steps, 0, 1, 1);
  for (const [sessions, ringSteps] of [
    [WANTED_SESSIONS, WANTED_RING_STEPS],
    [WANTED_SESSIONS, WANTED_SESSIONS],
    [1, WANTED_SESSIONS],
    [1, 1],
  ] as const) {
    for (let residents = steps.length - 1; residents >= 0; residents -= 1) {
      const plan = planWith(steps, residents, sessions, ringSteps);
      if (totalBytes(plan) <= budgetBytes) return plan;
    }
  }
  const minimumBytes = Math.min(totalBytes(all), totalBytes(least));
  throw new SluiceError(
    'budget-too-small',
    `The weights need at least ${formatBytes(minimumBytes)} (${minimumBytes} bytes), the largest step twice; the ` +
      `budget is ${formatBytes(budgetBytes)}. Raise it, or choose a smaller model.`,
    { minimumBytes, budgetBytes },
  );
}

/** Bytes of memory a plan takes. */
export function totalBytes({ residentBytes, ringBytes, sessionBytes }: WeightPlan): number {
  return residentBytes + ringBytes + sessionBytes;
}

function planWith(
  steps: readonly Step[],
  residents: number,
  sessions: number,
  ringSteps: number,
): WeightPlan {
  const isResident = (index: number): boolean =>
    Math.floor(((index + 1) * residents) / steps.length) > Math.floor((index * residents) / steps.length);
  const indices = steps.map((_, index) => index);
  const resident = new Set(indices.filter(isResident));
  const streamed = indices.filter((index) => !resident.has(index));
  const residentBytes = [...resident].reduce((sum, index) => sum + steps[index]!.residentBytes, 0);
  if (streamed.length === 0) {
    const nothing = {
      program: undefined,
      pages: 'small',
      sessions: 0,
      ringBytes: 0,
      sessionBytes: 0,
    } as const;
    return { resident, streamed, residentBytes, ...nothing };
  }
  const flow = streamed.map((index) => steps[index]!);
  const wantedRing = largestRun(flow.map(paddedBytes), Math.min(ringSteps, flow.length));
  const pages = wantedRing < LARGE_PAGES_FROM_BYTES ? 'small' : 'large';
  const program: Program = {
    mode: 'async',
    ringBytes: wantedRing,
    chunkBytes: CHUNK_BYTES,
    steps: flow.map((step, index) => ({
      kind: 'segment',
      first: index,
      last: index,
      ring: [{ fileOffset: step.fileOffset, byteLength: paddedBytes(step) }],
      resident: [],
    })),
  };
  const possible = sessionsWithin(program, Math.min(sessions, flow.length));
  return {
    resident,
    streamed,
    sessions: possible,
    program,
    pages,
    residentBytes,
    ringBytes: pages === 'large' ? largePageMemoryBytes(wantedRing) : nativeMemoryBytes(wantedRing),
    sessionBytes: largestRun(
      flow.map((step) => step.streamedBytes),
      possible,
    ),
  };
}

/** The largest sum of so many that follow each other, round and round. */
function largestRun(sizes: readonly number[], length: number): number {
  const sums = sizes.map((_, start) =>
    Array.from({ length }, (_size, at) => sizes[(start + at) % sizes.length]!).reduce((a, b) => a + b, 0),
  );
  return Math.max(...sums);
}

/**
 * How many sessions may be there at a time, so that the read of a step never waits for one of those before it: the thread
 * that makes them waits for reads, and would not hear that one was given back.
 */
function sessionsWithin(program: Program, wanted: number): number {
  const steps = program.steps.length;
  const { operations, lastOperation } = scheduleStream(ringPieces(program), {
    mode: 'async',
    ringBytes: program.ringBytes,
    chunkBytes: program.chunkBytes,
    steps,
  });
  const ticks = ticksPerInference(steps);
  /** When the step so many before another has ended, in ticks of the other's inference. */
  const endBefore = (step: number, count: number): number => {
    const at = step - count;
    return at >= 0 ? endTick(at) : endTick(at + steps) - ticks;
  };
  const fits = (count: number): boolean =>
    lastOperation.every((last, step) =>
      operations.slice(0, last + 1).every(({ barrierTick }) => barrierTick <= endBefore(step, count)),
    );
  for (let count = wanted; count > 1; count -= 1) if (fits(count)) return count;
  return 1;
}
