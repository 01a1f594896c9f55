import { useState } from 'react';
import type { ReactNode } from 'react';

import type { MeasuredPoint, MemoryDelayCurve } from '../../../core/contract';
import { formatBytes, formatMs } from '../../format';
import { strings } from '../../strings';
import { CHART_FILL, ChartFrame, Help } from '../../ui';
import type { ChartTable } from '../../ui';
import {
  budgetScale,
  budgetToStep,
  latencyScale,
  pointAt,
  predictAt,
  SLIDER_STEPS,
  stepToBudget,
} from './curve-scale';
import styles from './memory-delay-plot.module.css';
import { makeFrame, MARGIN } from './plot-frame';
import type { Frame } from './plot-frame';
import { Axes, BudgetMarker, LimitLegend, Limits, MeasuredDots } from './plot-layers';
import { useSize } from '../../ui';

const STRINGS = strings.run;

const WORDS = STRINGS.curve;
/** A measured point this near the pointer is read out, CSS pixels. */
const NEAR_PX = 8;

/** The curve without measurements outside its budgets (other segment cuts had another least budget). */
function withinBudgets(curve: MemoryDelayCurve): MemoryDelayCurve {
  const measured = curve.measured.filter(
    ({ budgetBytes }) => budgetBytes >= curve.minimumBytes && budgetBytes <= curve.totalBytes * 1.001,
  );
  return { ...curve, measured };
}

function nearestMeasured(curve: MemoryDelayCurve, bytes: number, frame: Frame): MeasuredPoint | undefined {
  const near = curve.measured
    .map((point) => ({ point, away: Math.abs(frame.x(point.budgetBytes) - frame.x(bytes)) }))
    .filter(({ away }) => away <= NEAR_PX)
    .sort((a, b) => a.away - b.away);
  return near[0]?.point;
}

function measuredText(
  { medianMs, p10Ms, p90Ms, mode, runs }: MeasuredPoint,
  curve: MemoryDelayCurve,
): string {
  const source = [
    ...(runs > 1 ? [`${formatMs(p10Ms)} to ${formatMs(p90Ms)}`] : []),
    ...(mode === curve.mode ? [] : [mode]),
    WORDS.runs(runs),
  ];
  return `${WORDS.measured} ${formatMs(medianMs)} (${source.join(', ')})`;
}

/** What the curve says at a budget, in one line. */
function readout(
  curve: MemoryDelayCurve,
  layers: number,
  bytes: number,
  measured: MeasuredPoint | undefined,
): string {
  const at = pointAt(curve.points, bytes);
  // What was measured stands before what a narrow window may cut off.
  return [
    formatBytes(bytes),
    `${WORDS.predicted} ${formatMs(predictAt(curve.points, bytes) ?? Number.NaN)}`,
    ...(measured === undefined ? [] : [measuredText(measured, curve)]),
    ...(at === undefined ? [] : [WORDS.layersResident(at.residentLayers, layers)]),
  ].join(' · ');
}

function Header({ text }: { readonly text: string }): ReactNode {
  return (
    <div className={styles['head']}>
      <h2>
        <Help id="run.curve">{WORDS.title}</Help>
      </h2>
      <p className={styles['readout']}>{text}</p>
      <ul className={styles['legend']} aria-hidden="true">
        <li data-kind="predicted">{WORDS.predicted}</li>
        <li data-kind="measured">{WORDS.measured}</li>
      </ul>
    </div>
  );
}

/** Predicted and measured points by budget. */
function curveTable({ points, measured }: MemoryDelayCurve): ChartTable {
  const rows = [
    ...points.map(({ budgetBytes, predictedMs }) => [budgetBytes, predictedMs, null] as const),
    ...measured.map(({ budgetBytes, medianMs }) => [budgetBytes, null, medianMs] as const),
  ];
  return {
    columns: WORDS.columns,
    rows: rows
      .sort(([a], [b]) => a - b)
      .map(([bytes, predicted, found]) => [Math.round((bytes / 2 ** 20) * 10) / 10, predicted, found]),
  };
}

interface MemoryDelayPlotProps {
  readonly curve: MemoryDelayCurve;
  /** Layers of the model. */
  readonly layers: number;
  readonly budgetBytes: number;
  readonly onBudget: (bytes: number) => void;
  /** Resident mode has no budget to choose. */
  readonly disabled: boolean;
}

/**
 * The memory-delay curve. A native range input lies over the whole plot: dragging anywhere, arrow keys and assistive
 * technology set the budget.
 */
export function MemoryDelayPlot(props: MemoryDelayPlotProps): ReactNode {
  const { layers, budgetBytes, onBudget, disabled } = props;
  const curve = withinBudgets(props.curve);
  const [ref, size] = useSize<HTMLDivElement>();
  const [hoverBytes, setHoverBytes] = useState<number>();
  const budget = budgetScale(curve.minimumBytes, curve.totalBytes);
  const latency = latencyScale(curve);
  const frame = makeFrame(size, budget, latency);
  const pointed = hoverBytes ?? budgetBytes;
  const line = curve.points
    .map((point) => `${frame.x(point.budgetBytes)},${frame.y(point.predictedMs)}`)
    .join(' ');
  return (
    <div className={styles['plot']} data-testid="run-curve" data-disabled={disabled}>
      <Header text={readout(curve, layers, pointed, nearestMeasured(curve, pointed, frame))} />
      <ChartFrame
        className={styles['area']}
        title={WORDS.pictureTitle}
        table={() => curveTable(curve)}
        lines={[1, 2]}
        text={formatMs}
      >
        <div ref={ref} className={CHART_FILL}>
          <svg width={size.width} height={size.height} aria-hidden="true">
            <Axes frame={frame} curve={curve} budget={budget} latency={latency} />
            <Limits frame={frame} curve={curve} />
            {hoverBytes !== undefined && (
              <line
                className={styles['hover']}
                x1={frame.x(hoverBytes)}
                x2={frame.x(hoverBytes)}
                y1={MARGIN.top}
                y2={frame.bottom}
              />
            )}
            <polyline className={styles['predicted']} points={line} />
            <MeasuredDots frame={frame} points={curve.measured} mode={curve.mode} />
            <BudgetMarker
              frame={frame}
              budgetBytes={budgetBytes}
              predictedMs={predictAt(curve.points, budgetBytes)}
            />
          </svg>
          <LimitLegend curve={curve} />
          <input
            type="range"
            className={styles['slider']}
            style={{ left: MARGIN.left - 1, width: Math.max(0, frame.right - frame.left + 2) }}
            aria-label={STRINGS.budget}
            aria-valuetext={readout(curve, layers, budgetBytes, undefined)}
            min={0}
            max={SLIDER_STEPS}
            step={1}
            value={budgetToStep(budget, budgetBytes)}
            disabled={disabled}
            onChange={(event) => onBudget(stepToBudget(budget, event.currentTarget.valueAsNumber, curve))}
            onPointerMove={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              setHoverBytes(budget.fromUnit((event.clientX - box.left) / box.width));
            }}
            onPointerLeave={() => setHoverBytes(undefined)}
          />
        </div>
      </ChartFrame>
    </div>
  );
}
