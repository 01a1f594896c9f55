import type { CurvePoint, MemoryDelayCurve } from '../../../core/contract';

/** Maps one axis of the plot; `toUnit` gives 0..1 along it. */
export interface Scale {
  readonly toUnit: (value: number) => number;
  readonly fromUnit: (unit: number) => number;
  readonly ticks: readonly number[];
}

/** From this ratio of largest to least budget on, the axis is logarithmic. */
const LOG_FROM_RATIO = 6;

function clampUnit(unit: number): number {
  return Math.min(1, Math.max(0, unit));
}

/** A step of 1, 2 or 5 times a power of ten that gives about `count` ticks over `span`. */
export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw) ?? 10;
  return factor * power;
}

function powersOfTwo(least: number, most: number): readonly number[] {
  const first = Math.ceil(Math.log2(least));
  const last = Math.floor(Math.log2(most));
  const every = Math.max(1, Math.ceil((last - first + 1) / 7));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 2 ** (first + index)).filter(
    (_, index) => index % every === 0,
  );
}

function multiples(least: number, most: number, step: number): readonly number[] {
  const first = Math.ceil(least / step);
  const count = Math.max(0, Math.floor(most / step) - first + 1);
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}

/** A binary step (MiB-friendly) that gives about `count` ticks. */
function binaryStep(span: number, count: number): number {
  return 2 ** Math.max(0, Math.round(Math.log2(span / count)));
}

/** Budget axis from the least to the whole, bytes: logarithmic when they lie far apart. */
export function budgetScale(leastBytes: number, wholeBytes: number): Scale {
  const span = Math.max(1, wholeBytes - leastBytes);
  if (leastBytes > 0 && wholeBytes / leastBytes >= LOG_FROM_RATIO) {
    const ratio = Math.log(wholeBytes / leastBytes);
    return {
      toUnit: (bytes) => clampUnit(Math.log(Math.max(bytes, 1) / leastBytes) / ratio),
      fromUnit: (unit) => leastBytes * Math.exp(clampUnit(unit) * ratio),
      ticks: powersOfTwo(leastBytes, wholeBytes),
    };
  }
  return {
    toUnit: (bytes) => clampUnit((bytes - leastBytes) / span),
    fromUnit: (unit) => leastBytes + clampUnit(unit) * span,
    ticks: multiples(leastBytes, wholeBytes, binaryStep(span, 5)),
  };
}

/** Latency axis from 0 to above everything drawn, milliseconds. */
export function latencyScale(curve: MemoryDelayCurve): Scale {
  const drawn = [
    curve.residentMs,
    curve.readLimitMs,
    ...curve.points.map(({ predictedMs }) => predictedMs),
    ...curve.measured.map(({ p90Ms }) => p90Ms),
  ].filter(Number.isFinite);
  const most = Math.max(1, ...drawn) * 1.08;
  return {
    toUnit: (ms) => clampUnit(ms / most),
    fromUnit: (unit) => clampUnit(unit) * most,
    ticks: multiples(0, most, niceStep(most, 5)),
  };
}

/** Predicted latency at a budget, linear between the planner's points. Undefined without points. */
export function predictAt(points: readonly CurvePoint[], budgetBytes: number): number | undefined {
  const after = points.findIndex((point) => point.budgetBytes >= budgetBytes);
  const right = points[after] ?? points.at(-1);
  const left = after > 0 ? points[after - 1] : right;
  if (right === undefined || left === undefined) return undefined;
  const span = right.budgetBytes - left.budgetBytes;
  if (span <= 0) return right.predictedMs;
  const share = Math.min(1, Math.max(0, (budgetBytes - left.budgetBytes) / span));
  return left.predictedMs + share * (right.predictedMs - left.predictedMs);
}

/** The planner's last point at or below a budget: what would be resident there. */
export function pointAt(points: readonly CurvePoint[], budgetBytes: number): CurvePoint | undefined {
  return points.filter((point) => point.budgetBytes <= budgetBytes).at(-1) ?? points[0];
}

/** Demand Layering's setting with the least overhead worth having: 11.6% of the weights (88.4% reduction). */
const DEFAULT_SHARE = 0.116;

/** The budget a model starts with, within what its curve allows. Whole bytes. */
export function defaultBudget(curve: Pick<MemoryDelayCurve, 'minimumBytes' | 'totalBytes'>): number {
  return clampBudget(curve.totalBytes * DEFAULT_SHARE, curve);
}

export function clampBudget(
  bytes: number,
  { minimumBytes, totalBytes }: Pick<MemoryDelayCurve, 'minimumBytes' | 'totalBytes'>,
): number {
  return Math.round(Math.min(Math.max(bytes, minimumBytes), Math.max(minimumBytes, totalBytes)));
}

/** Steps of the slider from end to end. */
export const SLIDER_STEPS = 400;

/** The slider's step for a budget, and back: both ends are exact. */
export function budgetToStep(scale: Scale, bytes: number): number {
  return Math.round(scale.toUnit(bytes) * SLIDER_STEPS);
}

export function stepToBudget(
  scale: Scale,
  step: number,
  curve: Pick<MemoryDelayCurve, 'minimumBytes' | 'totalBytes'>,
): number {
  if (step <= 0) return curve.minimumBytes;
  if (step >= SLIDER_STEPS) return Math.max(curve.minimumBytes, curve.totalBytes);
  return clampBudget(scale.fromUnit(step / SLIDER_STEPS), curve);
}
