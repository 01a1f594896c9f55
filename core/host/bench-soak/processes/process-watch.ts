import { figuresOf, type HeldFigures } from './process-table';
import type { KeptMemory } from './kept-memory';
import { slopeOf, verdictOf, worstOf, type Sample, type Slope, type Verdict } from './slope';

export interface Range {
  readonly start: number;
  readonly end: number;
  readonly max: number;
}

export interface BytesSlope {
  readonly bytesPerMin: number;
  /** Of the 95 % interval. */
  readonly halfWidthBytesPerMin: number;
  readonly residualBytes: number;
  readonly samples: number;
}

/** One of the long-lived processes, over all its lives. */
export interface ProcessRow {
  readonly name: string;
  readonly starts: number;
  /** It ended without being told to. */
  readonly unexpectedEnds: number;
  /** RSS. */
  readonly memoryBytes?: Range;
  /** Least squares over what came after the warm-up of each life, each second; absent for too few samples. */
  readonly memorySlope?: BytesSlope;
  /** The same of RSS when garbage had just been collected. */
  readonly keptMemorySlope?: BytesSlope;
  /** The same of what is alive of JavaScript's heap and belongs to it. */
  readonly keptHeapSlope?: BytesSlope;
  /** By what is kept. */
  readonly memoryVerdict: Verdict;
  /** `start` and `end` when nothing was asked of it. */
  readonly descriptors?: Range;
  readonly threads?: Range;
}

interface Taken extends HeldFigures {
  readonly atMs: number;
}

/** The process of that name at present. */
export interface Watched {
  readonly name: string;
  readonly starts: number;
  readonly pid: number | undefined;
}

const SAMPLE_EVERY_MS = 1000;
const WARM_UP_SHARE = 0.2;
/** The histories of the last 200 runs and rounds are full by then. */
const LONGEST_WARM_UP_MS = 120_000;

/** Looks at processes once a second. */
export class ProcessWatch {
  private readonly taken = new Map<string, Map<number, Taken[]>>();
  private readonly atRest = new Map<string, { first: HeldFigures; last: HeldFigures }>();
  private readonly timer: NodeJS.Timeout;

  private readonly pids = new Map<string, Set<number>>();

  /** @param totalMs of the soak. @param keptOf what a process noted of itself. */
  constructor(
    private readonly processes: readonly Watched[],
    private readonly nowMs: () => number,
    private readonly totalMs: number,
    private readonly keptOf: (pid: number) => readonly KeptMemory[],
  ) {
    this.timer = setInterval(() => this.sample(), SAMPLE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** To be called when nothing is asked of the processes: before the work and after it. */
  noteRest(): void {
    for (const { name, pid } of this.processes) {
      const figures = pid === undefined ? undefined : figuresOf(pid);
      if (!figures) continue;
      this.atRest.set(name, { first: this.atRest.get(name)?.first ?? figures, last: figures });
    }
  }

  row(name: string, unexpectedEnds: number): ProcessRow {
    const process = this.processes.find((one) => one.name === name)!;
    const lives = [...(this.taken.get(name)?.values() ?? [])];
    const slope = slopeOf(lives.map((life) => this.warm(life, 'rssBytes')));
    const kept = [...(this.pids.get(name) ?? [])].map(this.keptOf);
    const keptMemory = slopeOf(kept.map((life) => this.warm(life, 'rssBytes')));
    const keptHeap = slopeOf(kept.map((life) => this.warm(life, 'heapBytes')));
    const rest = this.atRest.get(name);
    const range = (figure: keyof HeldFigures): Range | undefined =>
      rest && {
        start: rest.first[figure],
        end: rest.last[figure],
        max: lives.flat().reduce((most, one) => Math.max(most, one[figure]), rest.last[figure]),
      };
    const [memoryBytes, descriptors, threads] = [range('rssBytes'), range('descriptors'), range('threads')];
    return {
      name,
      starts: process.starts,
      unexpectedEnds,
      ...(memoryBytes && { memoryBytes }),
      ...(slope && { memorySlope: bytesSlope(slope) }),
      ...(keptMemory && { keptMemorySlope: bytesSlope(keptMemory) }),
      ...(keptHeap && { keptHeapSlope: bytesSlope(keptHeap) }),
      memoryVerdict: worstOf([verdictOf(keptMemory), verdictOf(keptHeap)]),
      ...(descriptors && { descriptors }),
      ...(threads && { threads }),
    };
  }

  private sample(): void {
    for (const { name, starts, pid } of this.processes) {
      const figures = pid === undefined ? undefined : figuresOf(pid);
      if (!figures || pid === undefined) continue;
      this.pids.set(name, (this.pids.get(name) ?? new Set()).add(pid));
      const lives = this.taken.get(name) ?? new Map<number, Taken[]>();
      this.taken.set(name, lives);
      const life = lives.get(starts) ?? [];
      lives.set(starts, life);
      life.push({ ...figures, atMs: this.nowMs() });
    }
  }

  /** Memory of a life once its caches are filled. */
  private warm<K extends string>(
    life: readonly ({ readonly atMs: number } & Readonly<Record<K, number>>)[],
    figure: K,
  ): readonly Sample[] {
    const fromMs = (life[0]?.atMs ?? 0) + Math.min(LONGEST_WARM_UP_MS, this.totalMs * WARM_UP_SHARE);
    return life
      .filter(({ atMs }) => atMs >= fromMs)
      .map((taken) => ({ atMs: taken.atMs, value: taken[figure] }));
  }
}

function bytesSlope({ perMin, halfWidthPerMin, residual, samples }: Slope): BytesSlope {
  return {
    bytesPerMin: Math.round(perMin),
    halfWidthBytesPerMin: Math.round(halfWidthPerMin),
    residualBytes: Math.round(residual),
    samples,
  };
}
