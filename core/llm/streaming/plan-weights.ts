import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { endTick, ringPieces, scheduleStream, ticksPerInference, type Program } from '../../layering';
import { largePageMemoryBytes, nativeMemoryBytes } from '../../ort';
import { paddedBytes, type StoredStep } from './stored-steps';

/** Reads are joined and split to about this size (docs/adr/0008-what-reading-costs.md). */
const CHUNK_BYTES = 2 << 20;
/** From here on, what a ring loses at the end of its last large page is little beside what large pages save. */
const LARGE_PAGES_FROM_BYTES = 8 << 20;
/**
 * Sessions made and not yet given back, and steps in the ring, from the most that helps to the least that works: one runs
 * while two are made, on as many cores, and one is read.
 */
const WAYS_TO_FLOW: readonly (readonly [sessions: number, ringSteps: number])[] = [
  [3, 4],
  [2, 3],
  [2, 2],
  [1, 2],
  [1, 1],
];
/** A ring may grow by one step, in so many parts, until reads don't wait for sessions at its seam. */
const RING_PARTS = 4;

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
  for (const [sessions, ringSteps] of WAYS_TO_FLOW) {
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
  const wanted = Math.min(sessions, flow.length);
  const program = programFor(flow, Math.min(ringSteps, flow.length), wanted);
  const possible = sessionsWithin(program, wanted);
  return {
    resident,
    streamed,
    sessions: possible,
    program,
    pages: pagesFor(program.ringBytes),
    residentBytes,
    ringBytes: program.ringBytes,
    sessionBytes: largestRun(
      flow.map((step) => step.streamedBytes),
      possible,
    ),
  };
}

/** The ring holds so many steps, and a little more where that lets so many sessions be there at a time. */
function programFor(flow: readonly Step[], ringSteps: number, sessions: number): Program {
  const sizes = flow.map(paddedBytes);
  const least = largestRun(sizes, ringSteps);
  const part = Math.max(...sizes) / RING_PARTS;
  const programOf = (bytes: number): Program => ({
    mode: 'async',
    ringBytes: pagesFor(bytes) === 'large' ? largePageMemoryBytes(bytes) : nativeMemoryBytes(bytes),
    chunkBytes: CHUNK_BYTES,
    steps: flow.map((step, index) => ({
      kind: 'segment',
      first: index,
      last: index,
      ring: [{ fileOffset: step.fileOffset, byteLength: paddedBytes(step) }],
      resident: [],
    })),
  });
  for (let parts = 0; parts <= RING_PARTS; parts += 1) {
    const program = programOf(least + parts * part);
    if (sessionsWithin(program, sessions) === sessions) return program;
  }
  return programOf(least);
}

function pagesFor(ringBytes: number): 'large' | 'small' {
  return ringBytes < LARGE_PAGES_FROM_BYTES ? 'small' : 'large';
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
