import uPlot from 'uplot';

import type { LabSeries } from '../../../../core/contract';
import type { ChartRange, ChartSettings } from './chart-settings';
import { smoothed } from './smooth';

/** x of every point, in the axis' unit. */
export function xOf(series: LabSeries, x: ChartSettings['x']): Float64Array {
  if (x === 'step') return series.step;
  const origin = x === 'relative' ? (series.timestampMs[0] ?? 0) : 0;
  return series.timestampMs.map((ms) => (ms - origin) / 1000);
}

/** What uPlot can draw of a value; null leaves a gap. */
function drawable(value: number, isLog: boolean): number | null {
  return Number.isFinite(value) && (!isLog || value > 0) ? value : null;
}

function column(values: Float64Array, isLog: boolean): (number | null)[] {
  return Array.from(values, (value) => drawable(value, isLog));
}

/** A table whose x rises: points that went back in time (a resumed run) keep their last value. */
function tableOf(x: Float64Array, columns: readonly (number | null)[][]): uPlot.AlignedData {
  const order = Array.from(x, (_, index) => index);
  const isRising = order.every((index) => index === 0 || x[index - 1]! < x[index]!);
  if (isRising) return [Array.from(x), ...columns];
  const last = new Map(order.map((index) => [x[index]!, index]));
  const indices = [...last].sort(([a], [b]) => a - b).map(([, index]) => index);
  return [indices.map((index) => x[index]!), ...columns.map((each) => indices.map((index) => each[index]!))];
}

/**
 * Columns for uPlot: x, then of each run its line as it was logged and its smoothed one.
 * @param hidden ids of runs whose lines are left out; their columns stay, empty.
 */
export function chartData(
  list: readonly LabSeries[],
  settings: ChartSettings,
  hidden: ReadonlySet<string>,
): uPlot.AlignedData {
  const tables = list.map((series) => {
    if (hidden.has(series.runId)) return [[], [], []] as uPlot.AlignedData;
    const raw = column(series.value, settings.isLog);
    const line =
      settings.smoothing > 0 ? column(smoothed(series.value, settings.smoothing), settings.isLog) : raw;
    return tableOf(xOf(series, settings.x), [raw, line]);
  });
  if (tables.length === 0) return [[]];
  return tables.length === 1 ? tables[0]! : uPlot.join(tables);
}

/** All of x that the runs have. */
export function wholeRange(list: readonly LabSeries[], x: ChartSettings['x']): ChartRange | undefined {
  let from = Infinity;
  let to = -Infinity;
  for (const series of list)
    for (const value of xOf(series, x)) {
      from = Math.min(from, value);
      to = Math.max(to, value);
    }
  return from <= to ? { from, to } : undefined;
}

/** The steps that a part of the x axis shows, of all the runs; undefined where it shows none. */
export function stepsWithin(
  list: readonly LabSeries[],
  x: ChartSettings['x'],
  range: ChartRange,
): { readonly fromStep: number; readonly toStep: number } | undefined {
  if (x === 'step') return { fromStep: Math.floor(range.from), toStep: Math.ceil(range.to) };
  let fromStep = Infinity;
  let toStep = -Infinity;
  for (const series of list) {
    const xs = xOf(series, x);
    const first = xs.findIndex((value) => value >= range.from);
    const beyond = xs.findIndex((value) => value > range.to);
    const last = beyond < 0 ? xs.length - 1 : beyond - 1;
    if (first < 0 || last < first) continue;
    // A point beyond either edge, so that lines reach it.
    fromStep = Math.min(fromStep, series.step[Math.max(0, first - 1)]!);
    toStep = Math.max(toStep, series.step[Math.min(xs.length - 1, last + 1)]!);
  }
  return fromStep <= toStep ? { fromStep, toStep } : undefined;
}

/** The least and the greatest finite value. */
export function valueRange(
  values: Float64Array,
): { readonly low: number; readonly high: number } | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? { low, high } : undefined;
}
