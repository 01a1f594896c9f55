import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { useSession } from '../../session';
import { watchTheme } from '../../timeline-engine';
import type { ChartSpec } from './charts';
import styles from './device-panel.module.css';
import { History } from './history';
import { niceTop } from './nice-top';
import { STRINGS } from './strings';

interface LiveChartProps {
  readonly spec: ChartSpec;
  readonly windowSec: number;
}

/**
 * A chart that follows the telemetry hub: new samples mark it dirty, the next animation frame draws it. Samples never
 * pass through React.
 */
export function LiveChart({ spec, windowSec }: LiveChartProps): ReactNode {
  const { telemetry } = useSession();
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const history = new History(telemetry);
    const read = (): uPlot.AlignedData => history.read(spec.lines, windowSec);
    let chart = makeChart(element, spec, windowSec, read());
    let frame = 0;
    const schedule = (): void => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        chart.setData(read());
      });
    };
    const resized = new ResizeObserver(() => chart.setSize(sizeOf(element)));
    resized.observe(element);
    const stopTheme = watchTheme(() => {
      chart.destroy();
      chart = makeChart(element, spec, windowSec, read());
    });
    const stopSamples = telemetry.subscribe(schedule);
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      stopTheme();
      stopSamples();
      chart.destroy();
    };
  }, [telemetry, spec, windowSec]);
  // The same figures stand beside it in words, at a pace that can be read.
  return <div ref={host} className={styles['chart']} aria-hidden="true" />;
}

function sizeOf(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

function makeChart(host: HTMLElement, spec: ChartSpec, windowSec: number, data: uPlot.AlignedData): uPlot {
  const style = getComputedStyle(host);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const font = `${token('--text-small')} ${token('--font-ui')}`;
  const grid = { stroke: token('--border'), width: 1 };
  const axis = { stroke: token('--text-muted'), font, ticks: { show: false }, border: { show: false } };
  return new uPlot(
    {
      ...sizeOf(host),
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
          values: (_chart, splits) => splits.map(spec.axis),
        },
      ],
      series: [
        {},
        ...spec.lines.map((line) => ({
          stroke: token(line.token),
          width: 1.25,
          ...(line.filled ? { fill: `color-mix(in srgb, ${token(line.token)} 22%, transparent)` } : {}),
          points: { show: false },
        })),
      ],
    },
    data,
    host,
  );
}

function tickLabel(second: number): string {
  if (second === 0) return STRINGS.now;
  const whole = Math.round(-second);
  return whole % 60 === 0 ? `−${whole / 60} min` : `−${whole} s`;
}
