import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { createStore } from 'zustand/vanilla';

import type { LearningCurve } from '../../../core/contract';
import { formatCount, formatFigure } from '../../format';
import { strings } from '../../strings';
import { CHART_FILL, ChartFrame, FailureNote, Help, Plot, Segmented } from '../../ui';
import type { ChartTable, PlotOptions, Token } from '../../ui';
import { axesOf, topAbove } from './plot-axes';
import styles from './plots.module.css';
import { useFresh } from './use-fresh';

const STRINGS = strings.decisions;

const WORDS = STRINGS.learning;

const METRICS = Object.entries(WORDS.metrics).map(([value, { label, hint }]) => ({
  value: value as Metric,
  label,
  hint,
}));
type Metric = keyof typeof WORDS.metrics;

const CURVE_EVERY_MS = 2000;

/** Steps from 1 on (the axis is logarithmic) and the metric; null where there is no value. */
export function learningColumns(
  curve: LearningCurve | undefined,
  metric: Metric,
): [number[], (number | null)[]] {
  if (curve === undefined) return [[], []];
  const values = curve[metric];
  return [
    Array.from(curve.step, (step) => Math.max(1, step)),
    Array.from(values, (value) => (Number.isFinite(value) ? value : null)),
  ];
}

function isPowerOfTen(value: number): boolean {
  return Math.abs(Math.log10(value) % 1) < 1e-9;
}

function optionsOf(token: Token, metric: Metric): PlotOptions {
  const { x, y } = axesOf(token);
  const isNegative = metric === 'rewardMs';
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 16, 0, 0],
    scales: {
      x: { time: false, distr: 3, log: 10, range: (_chart, _low, high) => [1, Math.max(10, high || 10)] },
      y: {
        range: (_chart, low, high) => (isNegative ? [-topAbove(-(low || 0), 1), 0] : [0, topAbove(high, 1)]),
      },
    },
    axes: [
      {
        ...x,
        // Only powers of ten have room for a label; uPlot offers their multiples, too.
        filter: (_chart, splits) => splits.map((step) => (isPowerOfTen(step) ? step : null)),
        values: (_chart, splits) =>
          splits.map((step: number | null) => (step === null ? '' : formatCount(step))),
      },
      y,
    ],
    series: [{}, { stroke: token('--text'), width: 1.25, points: { show: false } }],
  };
}

/** Holds what the chart draws outside React's state, so that a new curve redraws and does not rebuild it. */
function createCurveFeed(metric: Metric) {
  const store = createStore<{ readonly curve: LearningCurve | undefined }>(() => ({ curve: undefined }));
  return {
    set: (curve: LearningCurve | undefined) => store.setState({ curve }),
    options: (token: Token) => optionsOf(token, metric),
    read: () => learningColumns(store.getState().curve, metric),
    table: (): ChartTable => {
      const [steps, values] = learningColumns(store.getState().curve, metric);
      const { hint } = WORDS.metrics[metric];
      return { columns: [WORDS.axis, hint], rows: steps.map((step, index) => [step, values[index] ?? null]) };
    },
    subscribe: (changed: () => void) => store.subscribe(changed),
  };
}

function CurvePlot({ curve, metric }: { readonly curve: LearningCurve; readonly metric: Metric }): ReactNode {
  const feed = useMemo(() => createCurveFeed(metric), [metric]);
  useEffect(() => feed.set(curve), [feed, curve]);
  return (
    <ChartFrame className={styles['canvas']} title={WORDS.title} table={feed.table} lines={[1]}>
      <Plot className={CHART_FILL} options={feed.options} read={feed.read} subscribe={feed.subscribe} />
    </ChartFrame>
  );
}

function lastText(curve: LearningCurve, metric: Metric): string {
  const [steps, values] = learningColumns(curve, metric);
  const value = values.at(-1);
  const { unit } = WORDS.metrics[metric];
  return WORDS.last(`${formatFigure(value ?? undefined)} ${unit}`, formatCount(steps.at(-1) ?? 0));
}

/** The course of learning on a logarithmic axis of real steps. */
export function LearningChart(): ReactNode {
  const [metric, setMetric] = useState<Metric>('meanResponseMs');
  const { value: curve, error } = useFresh('offload.curve', CURVE_EVERY_MS);
  const isEmpty = curve === undefined || curve.step.length === 0;
  return (
    <section className={styles['plot']} aria-label={WORDS.title}>
      <header className={styles['head']}>
        <h2>
          <Help id="decisions.learning">{WORDS.title}</Help>
        </h2>
        {!isEmpty && (
          <span className={styles['last']} data-testid="learning-last" title={lastText(curve, metric)}>
            {lastText(curve, metric)}
          </span>
        )}
        <div className={styles['metrics']}>
          <Segmented label={WORDS.metric} value={metric} options={METRICS} onChange={setMetric} />
        </div>
      </header>
      {error !== undefined && <FailureNote title={STRINGS.faults.curve} error={error} />}
      {isEmpty ? (
        <p className={styles['none']}>{WORDS.none}</p>
      ) : (
        <CurvePlot key={metric} curve={curve} metric={metric} />
      )}
    </section>
  );
}
