import { useEffect, useMemo } from 'react';
import type { ReactNode } from 'react';
import uPlot from 'uplot';
import { createStore } from 'zustand/vanilla';

import type { LabSearch } from '../../../../core/contract';
import { formatTicks } from '../../../format';
import { strings } from '../../../strings';
import { CHART_FILL, ChartFrame, Help, Plot } from '../../../ui';
import type { ChartTable, PlotOptions, Token } from '../../../ui';
import { formatMetric } from '../lab-format';
import styles from './searches.module.css';
import { bestColumns } from './trial-space';

const STRINGS = strings.lab.searches;

function optionsOf(token: Token): PlotOptions {
  const axis: uPlot.Axis = {
    stroke: token('--text-muted'),
    font: `${token('--text-small')} ${token('--font-ui')}`,
    ticks: { show: false },
    border: { show: false },
    grid: { stroke: token('--border'), width: 1 },
  };
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 16, 0, 0],
    scales: {
      x: { time: false, range: (_chart, low, high) => [low - 0.5, Math.max(low + 1, high) + 0.5] },
      // As far as the figures go, with a little air.
      y: {
        range: (_chart, low, high) => {
          const air = (high - low || Math.abs(high) || 1) * 0.08;
          return [low - air, high + air];
        },
      },
    },
    axes: [
      { ...axis, size: 20, gap: 2, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      {
        ...axis,
        size: 54,
        gap: 4,
        space: 36,
        values: (_chart, splits) => formatTicks(splits),
      },
    ],
    series: [
      {},
      {
        stroke: token('--border-strong'),
        // Dots: the trials are no course.
        paths: () => null,
        points: { show: true, size: 5, fill: token('--border-strong'), width: 0 },
      },
      {
        stroke: token('--accent'),
        width: 1.75,
        points: { show: false },
        paths: uPlot.paths.stepped?.({ align: 1 }) ?? (() => null),
      },
    ],
  };
}

/** Holds what the chart draws outside React's state, so that new trials redraw and don't rebuild it. */
function createFeed(first: LabSearch) {
  const store = createStore<{ readonly search: LabSearch }>(() => ({ search: first }));
  return {
    set: (search: LabSearch) => store.setState({ search }),
    read: () => bestColumns(store.getState().search),
    table: (): ChartTable => {
      const [trials, scores, best] = bestColumns(store.getState().search);
      return {
        columns: [STRINGS.columns.trial, STRINGS.columns.last, STRINGS.columns.best],
        rows: Array.from(trials, (trial, index) => [trial, scores[index] ?? null, best[index] ?? null]),
      };
    },
    subscribe: (changed: () => void) => store.subscribe(changed),
  };
}

/** What each trial reached, and the best up to it. */
export function BestChart({ search }: { readonly search: LabSearch }): ReactNode {
  const { id } = search;
  // Another search is another chart.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const feed = useMemo(() => createFeed(search), [id]);
  useEffect(() => feed.set(search), [feed, search]);
  const title = STRINGS.bestSoFar(search.metric.name);
  const hasScores = search.best !== undefined;
  return (
    <section
      className={styles['chart']}
      aria-label={title}
      title={STRINGS.bestSoFarHint(STRINGS.directions[search.metric.direction])}
    >
      <h3>
        <Help id="lab.best">{title}</Help>
      </h3>
      {hasScores ? (
        <ChartFrame
          className={styles['canvas']}
          title={title}
          table={feed.table}
          lines={[1, 2]}
          text={formatMetric}
        >
          <Plot className={CHART_FILL} options={optionsOf} read={feed.read} subscribe={feed.subscribe} />
        </ChartFrame>
      ) : (
        <p className={styles['none']}>{STRINGS.noTrials}</p>
      )}
    </section>
  );
}
