/** A figure of one process at a time. */
export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** A straight line through the samples of a process that was started again and again. */
export interface Slope {
  readonly perMin: number;
  /** Of `perMin`, 95 %: half the width of its confidence interval. */
  readonly halfWidthPerMin: number;
  /** Root mean square of what the line does not explain. */
  readonly residual: number;
  readonly samples: number;
  /** All lives together. */
  readonly spanMs: number;
}

const MINUTE_MS = 60_000;
/** Of the normal distribution; there are dozens of samples. */
const Z_95 = 1.96;
const LEAST_SAMPLES = 8;

/**
 * Least squares with one slope for all lives of a process and a level for each. Samples of memory hang together, so the
 * interval is widened by how much (first-order autocorrelation of what is left).
 * @returns undefined for too few samples.
 */
export function slopeOf(lives: readonly (readonly Sample[])[]): Slope | undefined {
  const centred = lives.filter((life) => life.length > 1).map(centre);
  const all = centred.flat();
  if (all.length < LEAST_SAMPLES) return undefined;
  const sum = (value: (sample: Sample) => number): number =>
    all.reduce((total, sample) => total + value(sample), 0);
  const spread = sum(({ atMs }) => atMs ** 2);
  if (spread === 0) return undefined;
  const slope = sum(({ atMs, value }) => atMs * value) / spread;
  const residuals = centred.map((life) => life.map(({ atMs, value }) => value - slope * atMs));
  const squares = residuals.flat().reduce((total, left) => total + left ** 2, 0);
  const freedom = Math.max(1, all.length - centred.length - 1);
  const correlation = Math.min(0.98, Math.max(0, autocorrelation(residuals, squares)));
  const widening = Math.sqrt((1 + correlation) / (1 - correlation));
  const error = Math.sqrt(squares / freedom / spread) * widening;
  return {
    perMin: slope * MINUTE_MS,
    halfWidthPerMin: Z_95 * error * MINUTE_MS,
    residual: Math.sqrt(squares / all.length),
    samples: all.length,
    spanMs: lives.reduce((total, life) => total + (life.at(-1)?.atMs ?? 0) - (life[0]?.atMs ?? 0), 0),
  };
}

function centre(life: readonly Sample[]): readonly Sample[] {
  const mean = (of: (sample: Sample) => number): number =>
    life.reduce((total, sample) => total + of(sample), 0) / life.length;
  const atMs = mean((sample) => sample.atMs);
  const value = mean((sample) => sample.value);
  return life.map((sample) => ({ atMs: sample.atMs - atMs, value: sample.value - value }));
}

function autocorrelation(residuals: readonly (readonly number[])[], squares: number): number {
  if (squares === 0) return 0;
  const products = residuals.flatMap((life) => life.slice(1).map((left, index) => left * life[index]!));
  return products.reduce((total, product) => total + product, 0) / squares;
}

/** `unknown`: the interval is wider than what would be flat, or caches still fill. */
export type Verdict = 'flat' | 'growing' | 'shrinking' | 'unknown';

/** What a process may seem to grow by and still be called flat: less than 1 % of an average process in a minute. */
const FLAT_BYTES_PER_MIN = 2 ** 20;

/** Below that, what grows are caches. */
const LEAST_SPAN_MS = 3 * MINUTE_MS;

export function verdictOf(slope: Slope | undefined): Verdict {
  if (!slope || slope.spanMs < LEAST_SPAN_MS) return 'unknown';
  const { perMin, halfWidthPerMin } = slope;
  if (perMin - halfWidthPerMin > FLAT_BYTES_PER_MIN) return 'growing';
  if (perMin + halfWidthPerMin < -FLAT_BYTES_PER_MIN) return 'shrinking';
  return perMin + halfWidthPerMin <= FLAT_BYTES_PER_MIN ? 'flat' : 'unknown';
}

const BY_CONCERN: readonly Verdict[] = ['growing', 'unknown', 'flat', 'shrinking'];

/** Of several figures of one process: the most worrying. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  return BY_CONCERN.find((verdict) => verdicts.includes(verdict)) ?? 'unknown';
}
