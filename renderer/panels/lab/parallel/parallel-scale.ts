import type { ParallelAxis, ParallelBrush, ParallelLine } from './parallel-types';

type NumberAxis = Extract<ParallelAxis, { readonly kind: 'number' }>;
type CategoryAxis = Extract<ParallelAxis, { readonly kind: 'category' }>;

function isLog(axis: NumberAxis): boolean {
  return axis.scale === 'log' && axis.min > 0;
}

/** Place of a number along its axis, 0 at `min` and 1 at `max`; beyond them outside of 0..1. */
export function unitOfNumber(axis: NumberAxis, value: number): number {
  if (axis.max === axis.min) return 0.5;
  if (!isLog(axis)) return (value - axis.min) / (axis.max - axis.min);
  return Math.log(value / axis.min) / Math.log(axis.max / axis.min);
}

/** The number at a place along its axis; whole where the axis is. */
export function numberAt(axis: NumberAxis, unit: number): number {
  const within = Math.min(1, Math.max(0, unit));
  const value = isLog(axis)
    ? axis.min * (axis.max / axis.min) ** within
    : axis.min + within * (axis.max - axis.min);
  const whole = axis.isInteger === true ? Math.round(value) : value;
  return Math.min(axis.max, Math.max(axis.min, whole));
}

/** Place of a category: each has an equal part of the axis and stands in its middle. */
function unitOfCategory(axis: CategoryAxis, value: string): number | undefined {
  const index = axis.values.indexOf(value);
  return index < 0 ? undefined : (index + 0.5) / axis.values.length;
}

/** 0..1 from the bottom; undefined where the value has no place on the axis. */
export function unitOf(axis: ParallelAxis, value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (axis.kind === 'category') return unitOfCategory(axis, String(value));
  const number = typeof value === 'number' ? value : Number(value);
  if (!Number.isFinite(number) || (isLog(axis) && number <= 0)) return undefined;
  return Math.min(1, Math.max(0, unitOfNumber(axis, number)));
}

/** Whether a line goes through every brush. A line without a value there does not. */
export function isKept(
  axes: readonly ParallelAxis[],
  line: ParallelLine,
  brushes: readonly ParallelBrush[],
): boolean {
  return brushes.every((brush) => {
    const index = axes.findIndex(({ id }) => id === brush.axis);
    const value = line.values[index];
    // A brush of an axis that is not shown parts nothing.
    if (index < 0) return true;
    if (value === undefined) return false;
    if ('values' in brush) return brush.values.includes(String(value));
    const number = Number(value);
    return number >= brush.min && number <= brush.max;
  });
}

export function brushOf(brushes: readonly ParallelBrush[], axis: string): ParallelBrush | undefined {
  return brushes.find((brush) => brush.axis === axis);
}

/** Brushes with that of one axis replaced, or taken away. */
export function withBrush(
  brushes: readonly ParallelBrush[],
  axis: string,
  brush: ParallelBrush | undefined,
): readonly ParallelBrush[] {
  const others = brushes.filter((old) => old.axis !== axis);
  return brush === undefined ? others : [...others, brush];
}

/** The brush between two places; none where it covers nothing or the whole axis. */
export function brushBetween(axis: NumberAxis, a: number, b: number): ParallelBrush | undefined {
  const low = Math.max(0, Math.min(a, b));
  const high = Math.min(1, Math.max(a, b));
  if (high <= low || (low === 0 && high === 1)) return undefined;
  return { axis: axis.id, min: numberAt(axis, low), max: numberAt(axis, high) };
}

/** What a drag from `from` to `to` makes of a brush: moves it by its middle, draws it by an end, or begins another. */
export function dragged(
  axis: NumberAxis,
  before: ParallelBrush | undefined,
  from: number,
  to: number,
  edge: number,
): ParallelBrush | undefined {
  if (before === undefined || 'values' in before) return brushBetween(axis, from, to);
  const low = unitOfNumber(axis, before.min);
  const high = unitOfNumber(axis, before.max);
  if (Math.abs(from - high) <= edge) return brushBetween(axis, low, to);
  if (Math.abs(from - low) <= edge) return brushBetween(axis, to, high);
  if (from < low || from > high) return brushBetween(axis, from, to);
  const by = Math.min(1 - high, Math.max(-low, to - from));
  return brushBetween(axis, low + by, high + by);
}

/** A category is kept or not; none where all are, or none is left. */
export function toggledCategory(
  axis: CategoryAxis,
  before: ParallelBrush | undefined,
  value: string,
): ParallelBrush | undefined {
  const old = before !== undefined && 'values' in before ? before.values : [];
  const next = old.includes(value) ? old.filter((each) => each !== value) : [...old, value];
  if (next.length === 0 || next.length === axis.values.length) return undefined;
  return { axis: axis.id, values: axis.values.filter((each) => next.includes(each)) };
}

/** The end of a number axis' brush moved by a part of the axis. */
export function movedEnd(
  axis: NumberAxis,
  before: ParallelBrush | undefined,
  end: 'min' | 'max',
  by: number,
): ParallelBrush | undefined {
  const isNumbers = before !== undefined && !('values' in before);
  const low = isNumbers ? unitOfNumber(axis, before.min) : 0;
  const high = isNumbers ? unitOfNumber(axis, before.max) : 1;
  // A whole number's step is one at least, or the key would move nothing.
  const least = axis.isInteger === true ? 1 / Math.max(1, axis.max - axis.min) : 0;
  const step = Math.sign(by) * Math.max(Math.abs(by), least);
  return end === 'min'
    ? brushBetween(axis, Math.min(high, low + step), high)
    : brushBetween(axis, low, Math.max(low, high + step));
}

const MOST_DIGITS = 4;

/** A value of an axis in few digits. */
export function axisText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace('e+', 'e');
  return String(Number(value.toPrecision(MOST_DIGITS))).replace('-', '−');
}
