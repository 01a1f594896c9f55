import { figuresOf, type HeldFigures } from './process-table';
import { slopeOf, verdictOf, type Sample, type Verdict } from './slope';

export interface Range {
  readonly start: number;
  readonly end: number;
  readonly max: number;
}

/** One of the long-lived processes, over all its lives. */
export interface ProcessRow {
  readonly name: string;
  readonly starts: number;
  /** It ended without being told to. */
  readonly unexpectedEnds: number;
  readonly memoryBytes?: Range;
  /** Least squares over what came after the warm-up of each life; absent for too few samples. */
  readonly memorySlope?: {
    readonly bytesPerMin: number;
    readonly halfWidthBytesPerMin: number;
    readonly residualBytes: number;
    readonly samples: number;
  };
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
const LONGEST_WARM_UP_MS = 90_000;

/** Looks at processes once a second. */
export class ProcessWatch {
  private readonly taken = new Map<string, Map<number, Taken[]>>();
  private readonly atRest = new Map<string, { first: HeldFigures; last: HeldFigures }>();
  private readonly timer: NodeJS.Timeout;

  /** @param totalMs of the soak. */
  constructor(
    private readonly processes: readonly Watched[],
    private readonly nowMs: () => number,
    private readonly totalMs: number,
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
    const slope = slopeOf(lives.map((life) => this.warm(life)));
    const rest = this.atRest.get(name);
    const range = (figure: keyof HeldFigures): Range | undefined =>
      rest && {
        start: rest.first[figure],
        end: rest.last[figure],
        max: Math.max(rest.last[figure], ...lives.flat().map((one) => one[figure])),
      };
    const [memoryBytes, descriptors, threads] = [range('rssBytes'), range('descriptors'), range('threads')];
    return {
      name,
      starts: process.starts,
      unexpectedEnds,
      ...(memoryBytes && { memoryBytes }),
      ...(slope && {
        memorySlope: {
          bytesPerMin: Math.round(slope.perMin),
          halfWidthBytesPerMin: Math.round(slope.halfWidthPerMin),
          residualBytes: Math.round(slope.residual),
          samples: slope.samples,
        },
      }),
      memoryVerdict: verdictOf(slope),
      ...(descriptors && { descriptors }),
      ...(threads && { threads }),
    };
  }

  private sample(): void {
    for (const { name, starts, pid } of this.processes) {
      const figures = pid === undefined ? undefined : figuresOf(pid);
      if (!figures) continue;
      const lives = this.taken.get(name) ?? new Map<number, Taken[]>();
      this.taken.set(name, lives);
      lives.set(starts, [...(lives.get(starts) ?? []), { ...figures, atMs: this.nowMs() }]);
    }
  }

  /** Memory of a life once its caches are filled. */
  private warm(life: readonly Taken[]): readonly Sample[] {
    const fromMs = (life[0]?.atMs ?? 0) + Math.min(LONGEST_WARM_UP_MS, this.totalMs * WARM_UP_SHARE);
    return life.filter(({ atMs }) => atMs >= fromMs).map(({ atMs, rssBytes }) => ({ atMs, value: rssBytes }));
  }
}
