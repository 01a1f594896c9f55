import { useMemo } from 'react';
import type { ReactNode } from 'react';
import type uPlot from 'uplot';

import type { TelemetrySeries } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { CHART_FILL, ChartFrame, faded, Plot } from '../../ui';
import type { ChartTable, PlotOptions, Token } from '../../ui';
import type { ChartSpec } from './charts';
import styles from './device-panel.module.css';
import { History } from './history';
import { niceTop } from './nice-top';

const STRINGS = strings.device;

interface LiveChartProps {
  readonly spec: ChartSpec;
  readonly windowSec: number;
}

/** A chart that follows the telemetry hub. The same figures stand beside it in words, at a pace that can be read. */
export function LiveChart({ spec, windowSec }: LiveChartProps): ReactNode {
  const { telemetry } = useSession();
  const plot = useMemo(() => {
    const history = new History(telemetry);
    return {
      options: (token: Token) => optionsOf(token, spec, windowSec),
      read: () => history.read(spec.lines, windowSec),
      table: (): ChartTable => tableOf(history.read(spec.lines, windowSec), spec),
    };
  }, [telemetry, spec, windowSec]);
  return (
    <ChartFrame
      className={styles['chart']}
      title={spec.title}
      table={plot.table}
      lines={spec.lines.map((_line, index) => index + 1)}
      isLive
    >
      <Plot className={CHART_FILL} options={plot.options} read={plot.read} subscribe={telemetry.subscribe} />
    </ChartFrame>
  );
}

/** A series' name ends in its unit. */
function unitOf(series: TelemetrySeries): readonly string[] {
  if (/Pct$/.test(series)) return ['%'];
  if (/BytesPerSec$/.test(series)) return ['B/s'];
  return /Bytes$/.test(series) ? ['B'] : [];
}

function tableOf(data: uPlot.AlignedData, spec: ChartSpec): ChartTable {
  return {
    columns: [
      STRINGS.seconds,
      ...spec.lines.map(({ label, series }) => [label, ...unitOf(series)].join(', ')),
    ],
    rows: Array.from(data[0], (second, index) => [
      second,
      ...data.slice(1).map((line) => line[index] ?? null),
    ]),
  };
}

function optionsOf(token: Token, spec: ChartSpec, windowSec: number): PlotOptions {
  const font = `${token('--text-small')} ${token('--font-ui')}`;
  const grid = { stroke: token('--border'), width: 1 };
  const axis = { stroke: token('--text-muted'), font, ticks: { show: false }, border: { show: false } };
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [6, 20, 0, 0],
    scales: {
      x: { time: false, range: [-windowSec, 0] },
      y: {
        range: (_chart, _low, high) => [
          0,
          spec.max ?? niceTop(Math.max(spec.minTop, high || 0), spec.binary),
        ],
      },
    },
    axes: [
      {
        ...axis,
        grid,
        size: 20,
        gap: 2,
        incrs: [windowSec > 120 ? 60 : 15],
        // No label at the left edge: it would stand under the y axis.
        values: (_chart, splits) => splits.map((second) => (second <= -windowSec ? '' : tickLabel(second))),
      },
      {
        ...axis,
        grid,
        size: 62,
        gap: 4,
        splits: (_chart, _axis, low, high) => [low, (low + high) / 2, high],
        values: (_chart, splits) => spec.axis(splits),
      },
    ],
    series: [
      {},
      ...spec.lines.map((line) => ({
        stroke: token(line.token),
        width: 1.25,
        ...(line.filled ? { fill: faded(token(line.token), 0.22) } : {}),
        points: { show: false },
      })),
    ],
  };
}

function tickLabel(second: number): string {
  if (second === 0) return STRINGS.now;
  const whole = Math.round(-second);
  return whole % 60 === 0 ? strings.ui.agoMin(whole / 60) : strings.ui.agoSec(whole);
}
