import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import type uPlot from 'uplot';

import type { DecisionRecord } from '../../../core/contract';
import { formatClock } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { CHART_FILL, ChartFrame, Help, Plot } from '../../ui';
import type { ChartTable, PlotOptions, Token } from '../../ui';
import { axesOf, topAbove } from './plot-axes';
import styles from './plots.module.css';
import { regimeChanges } from './regimes';
import type { RegimeChange } from './regimes';

const STRINGS = strings.decisions;

const WORDS = STRINGS.response;

type Column = (number | null)[];

/** Seconds of the epoch, then measured and predicted means. @param decisions newest first. */
export function responseColumns(decisions: readonly DecisionRecord[]): [number[], Column, Column] {
  const oldestFirst = [...decisions].reverse();
  return [
    oldestFirst.map(({ at }) => Date.parse(at) / 1000),
    oldestFirst.map(({ meanResponseMs }) => meanResponseMs ?? null),
    oldestFirst.map(({ predictedMs }) => predictedMs ?? null),
  ];
}

/** The same as figures, the oldest first, with what changed in the world meanwhile. */
function responseTable(decisions: readonly DecisionRecord[]): ChartTable {
  const [seconds, measured, predicted] = responseColumns(decisions);
  return {
    columns: [WORDS.time, `${WORDS.measured}, ${WORDS.unit}`, `${WORDS.predicted}, ${WORDS.unit}`],
    rows: seconds.map((second, index) => [
      formatClock(new Date(second * 1000).toISOString()),
      measured[index] ?? null,
      predicted[index] ?? null,
    ]),
  };
}

const LABEL_GAP_PX = 6;

/** Draws a line and a word at each change of regime; words that would overlap an earlier one are left out. */
function drawRegimes(chart: uPlot, changes: readonly RegimeChange[], token: Token): void {
  const { ctx, bbox } = chart;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * ratio}px ${token('--font-ui')}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  const marks = changes
    .map(({ atMs, text }) => ({ text, xPx: Math.round(chart.valToPos(atMs / 1000, 'x', true)) }))
    .filter(({ xPx }) => xPx >= bbox.left && xPx <= bbox.left + bbox.width);
  ctx.fillStyle = token('--degraded');
  for (const { xPx } of marks) ctx.fillRect(xPx, bbox.top, ratio, bbox.height);
  let freeFromPx = -Infinity;
  for (const { xPx, text } of marks) {
    const widthPx = ctx.measureText(text).width;
    const leftPx = Math.min(xPx + 4 * ratio, bbox.left + bbox.width - widthPx - 2 * ratio);
    if (leftPx < freeFromPx) continue;
    ctx.fillStyle = token('--surface');
    ctx.globalAlpha = 0.85;
    ctx.fillRect(leftPx - 2 * ratio, bbox.top + ratio, widthPx + 4 * ratio, 14 * ratio);
    ctx.globalAlpha = 1;
    ctx.fillStyle = token('--degraded');
    ctx.fillText(text, leftPx, bbox.top + 2 * ratio);
    freeFromPx = leftPx + widthPx + LABEL_GAP_PX * ratio;
  }
  ctx.restore();
}

function optionsOf(token: Token, decisions: () => readonly DecisionRecord[]): PlotOptions {
  const { x, y } = axesOf(token);
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 16, 0, 0],
    scales: { x: { time: true }, y: { range: (_chart, _low, high) => [0, topAbove(high, 1)] } },
    axes: [
      {
        ...x,
        space: 80,
        values: (_chart, splits) =>
          splits.map((second) => formatClock(new Date(second * 1000).toISOString())),
      },
      y,
    ],
    series: [
      {},
      { stroke: token('--text'), width: 1.25, points: { show: false }, spanGaps: true },
      { stroke: token('--accent'), width: 1.25, dash: [4, 3], points: { show: false }, spanGaps: true },
    ],
    hooks: { draw: [(chart) => drawRegimes(chart, regimeChanges(decisions()), token)] },
  };
}

/** The last change of regime in words, for those who can't see the marks and those who missed it. */
function LastChange(): ReactNode {
  const { offload } = useSession();
  const decisions = useStore(offload, (state) => state.decisions);
  const last = useMemo(() => regimeChanges(decisions).at(-1), [decisions]);
  if (last === undefined) return null;
  const clock = formatClock(new Date(last.atMs).toISOString());
  return (
    <span className={styles['change']} data-testid="last-change">
      {WORDS.lastChange(clock, last.text)}
    </span>
  );
}

/** Response time of the last rounds, as measured and as predicted, with what changed in the world. */
export function ResponseChart(): ReactNode {
  const { offload } = useSession();
  const isEmpty = useStore(offload, (state) => state.decisions.length === 0);
  const plot = useMemo(() => {
    const decisions = (): readonly DecisionRecord[] => offload.getState().decisions;
    return {
      options: (token: Token) => optionsOf(token, decisions),
      read: () => responseColumns(decisions()),
      table: () => responseTable(decisions()),
      subscribe: (changed: () => void) =>
        offload.subscribe((now, before) => {
          if (now.decisions !== before.decisions) changed();
        }),
    };
  }, [offload]);
  return (
    <section className={styles['plot']} aria-label={WORDS.title}>
      <header className={styles['head']}>
        <h2>
          <Help id="decisions.responseChart">{WORDS.title}</Help>, {WORDS.unit}
        </h2>
        <span>
          <i className={styles['solid']} /> {WORDS.measured}
        </span>
        <span>
          <i className={styles['dashed']} /> {WORDS.predicted}
        </span>
        <LastChange />
      </header>
      {isEmpty ? (
        <p className={styles['none']}>{WORDS.none}</p>
      ) : (
        <ChartFrame className={styles['canvas']} title={WORDS.title} table={plot.table} lines={[1, 2]} isLive>
          <Plot className={CHART_FILL} options={plot.options} read={plot.read} subscribe={plot.subscribe} />
        </ChartFrame>
      )}
    </section>
  );
}
