import uPlot from 'uplot';

import { formatClock, formatTicks } from '../../../format';
import { strings } from '../../../strings';
import { faded } from '../../../ui';
import type { PlotOptions, Token } from '../../../ui';
import { formatDuration, formatMetric } from '../lab-format';
import type { ChartRange, ChartSettings } from './chart-settings';
import { runDash } from './run-colours';

export interface ChartLine {
  readonly runId: string;
  readonly label: string;
  /** Design token of its colour. */
  readonly token: string;
  /** Among the runs of the page, for its dashes. */
  readonly index: number;
}

interface OptionsInput {
  readonly lines: readonly ChartLine[];
  readonly settings: ChartSettings;
  /** Plots of one page share their cursor. */
  readonly syncKey: string;
  /** The part in view, at the time of the call. */
  readonly range: () => ChartRange | undefined;
  readonly onZoom: (range: ChartRange | undefined) => void;
  /** Index into the columns; null: the pointer is elsewhere. */
  readonly onCursor: (chart: uPlot, index: number | null) => void;
}

function xText(x: ChartSettings['x'], value: number): string {
  if (x === 'relative') return formatDuration(value * 1000);
  if (Math.abs(value) >= 1e4) return `${Number((value / 1000).toFixed(1))}k`;
  return String(Number(value.toFixed(2)));
}

/** A step is whole: between two there is nothing to name. */
const STEP_INCREMENTS = Array.from({ length: 9 }, (_, power) => 10 ** power).flatMap((unit) => [
  unit,
  2 * unit,
  5 * unit,
]);
/** Labels of a tall plot stand apart: more than these are read no better. */
const MOST_Y_LABELS = 9;
const LEAST_Y_SPACE_PX = 26;

function axesOf(token: Token, { x, isLog }: ChartSettings): uPlot.Axis[] {
  const base: uPlot.Axis = {
    stroke: token('--text-muted'),
    font: `${token('--text-small')} ${token('--font-ui')}`,
    ticks: { show: false },
    border: { show: false },
    grid: { stroke: token('--border'), width: 1 },
  };
  const xValues: uPlot.Axis =
    x === 'wall' ? {} : { values: (_chart, splits) => splits.map((value) => xText(x, value)) };
  return [
    {
      ...base,
      ...xValues,
      ...(x === 'step' ? { incrs: STEP_INCREMENTS } : {}),
      size: 24,
      gap: 5,
      space: 64,
    },
    {
      ...base,
      size: 56,
      gap: 4,
      space: (_chart, _axis, _low, _high, heightPx) => Math.max(LEAST_Y_SPACE_PX, heightPx / MOST_Y_LABELS),
      values: (_chart, splits: (number | null)[]) => metricTicks(splits, isLog),
    },
  ];
}

/** Of a logarithmic axis, and far from 1, each as short as it can be; else all with the same decimals. */
function metricTicks(splits: readonly (number | null)[], isLog: boolean): string[] {
  const known = splits.filter((value) => value !== null);
  const most = Math.max(0, ...known.map(Math.abs));
  if (isLog || most < 1e-3 || most >= 1e5)
    return splits.map((value) => (value === null ? '' : shortMetric(value)));
  const texts = formatTicks(known);
  let at = 0;
  return splits.map((value) => (value === null ? '' : (texts[at++] ?? '')));
}

function shortMetric(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5))
    return value.toExponential(0).replace('e+', 'e').replace('-', '−');
  return formatMetric(Number(value.toPrecision(6)))
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** Two lines a run: as logged, faint, and smoothed over it. */
function seriesOf(token: Token, { lines, settings }: OptionsInput): uPlot.Series[] {
  return lines.flatMap(({ token: name, index }): uPlot.Series[] => {
    const colour = token(name);
    const dash = [...runDash(index)];
    const base = {
      points: { show: false },
      ...(dash.length > 0 ? { dash } : {}),
    };
    return [
      {
        ...base,
        show: settings.smoothing > 0,
        stroke: faded(colour, 0.3),
        width: 1,
      },
      { ...base, stroke: colour, width: 1.5 },
    ];
  });
}

/** A plot whose x range is the page's, and whose y range is what there is in it. */
export function chartOptions(token: Token, input: OptionsInput): PlotOptions {
  const { settings, syncKey } = input;
  return {
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: {
      sync: { key: syncKey, setSeries: false, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false },
      points: { size: 5 },
      bind: {
        dblclick: () => () => {
          input.onZoom(undefined);
          return null;
        },
      },
    },
    scales: {
      x: {
        time: settings.x === 'wall',
        range: (_chart, low, high) => {
          const range = input.range();
          if (range !== undefined) return [range.from, range.to];
          return low === high ? [low - 1, high + 1] : [low, high];
        },
      },
      y: settings.isLog
        ? { distr: 3, log: 10 }
        : { range: (_chart, low, high) => uPlot.rangeNum(low, high, 0.08, false) },
    },
    axes: axesOf(token, settings),
    series: [{}, ...seriesOf(token, input)],
    hooks: {
      setCursor: [(chart) => input.onCursor(chart, chart.cursor.idx ?? null)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width < 4) return;
          const range = { from: chart.posToVal(left, 'x'), to: chart.posToVal(left + width, 'x') };
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          input.onZoom(range);
        },
      ],
    },
  };
}

/** `step 1200`, `4:34`, `14:03:27`: where the cursor is. */
export function cursorText(x: ChartSettings['x'], value: number): string {
  if (x === 'wall') return formatClock(new Date(value * 1000).toISOString());
  return x === 'step' ? strings.lab.charts.atStep(Math.round(value)) : xText(x, value);
}
