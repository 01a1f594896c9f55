import { useState } from 'react';
import type { ReactNode } from 'react';

import type { MeasuredPoint, MemoryDelayCurve } from '../../../core/contract';
import { formatBytes, formatMs } from '../../format';
import {
  budgetScale,
  budgetToStep,
  latencyScale,
  pointAt,
  predictAt,
  SLIDER_STEPS,
  stepToBudget,
} from './curve-scale';
import type { Scale } from './curve-scale';
import styles from './memory-delay-plot.module.css';
import { STRINGS } from './strings';
import { useWidth } from './use-width';

const WORDS = STRINGS.curve;
const HEIGHT = 196;
const MARGIN = { left: 44, right: 14, top: 16, bottom: 22 };

interface Frame {
  readonly x: (bytes: number) => number;
  readonly y: (ms: number) => number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

function makeFrame(width: number, budget: Scale, latency: Scale): Frame {
  const innerWidth = Math.max(1, width - MARGIN.left - MARGIN.right);
  const innerHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  return {
    x: (bytes) => MARGIN.left + budget.toUnit(bytes) * innerWidth,
    y: (ms) => MARGIN.top + (1 - latency.toUnit(ms)) * innerHeight,
    left: MARGIN.left,
    right: MARGIN.left + innerWidth,
    bottom: HEIGHT - MARGIN.bottom,
  };
}

function Axes({
  frame,
  budget,
  latency,
}: {
  readonly frame: Frame;
  readonly budget: Scale;
  readonly latency: Scale;
}): ReactNode {
  return (
    <g className={styles['axes']}>
      {latency.ticks.map((ms) => (
        <g key={ms}>
          <line x1={frame.left} x2={frame.right} y1={frame.y(ms)} y2={frame.y(ms)} />
          <text x={frame.left - 6} y={frame.y(ms) + 4} textAnchor="end">
            {ms}
          </text>
        </g>
      ))}
      {budget.ticks.map((bytes) => (
        <text key={bytes} x={frame.x(bytes)} y={frame.bottom + 15} textAnchor="middle">
          {formatBytes(bytes)}
        </text>
      ))}
      <text x={4} y={10}>
        {WORDS.yTitle}
      </text>
    </g>
  );
}

/** The two limits. Their labels sit at opposite ends and sides of their lines, so that they can't collide. */
function Asymptotes({
  frame,
  curve,
}: {
  readonly frame: Frame;
  readonly curve: MemoryDelayCurve;
}): ReactNode {
  const residentY = frame.y(curve.residentMs);
  const limitY = frame.y(curve.readLimitMs);
  return (
    <g className={styles['limits']}>
      <line data-kind="resident" x1={frame.left} x2={frame.right} y1={residentY} y2={residentY} />
      <text data-kind="resident" x={frame.left + 6} y={residentY + 13}>
        {`${WORDS.resident} ${formatMs(curve.residentMs)}`}
      </text>
      <line data-kind="read" x1={frame.left} x2={frame.right} y1={limitY} y2={limitY} />
      <text data-kind="read" x={frame.right - 4} y={limitY - 5} textAnchor="end">
        {`${WORDS.readLimit} ${formatMs(curve.readLimitMs)}`}
      </text>
    </g>
  );
}

function Measured({
  frame,
  points,
  mode,
}: {
  readonly frame: Frame;
  readonly points: readonly MeasuredPoint[];
  readonly mode: string;
}): ReactNode {
  return (
    <g className={styles['measured']}>
      {points.map((point) => {
        const x = frame.x(point.budgetBytes);
        return (
          <g key={`${point.mode} ${point.budgetBytes}`} data-current={point.mode === mode}>
            <line x1={x} x2={x} y1={frame.y(point.p10Ms)} y2={frame.y(point.p90Ms)} />
            <circle cx={x} cy={frame.y(point.medianMs)} r={3.5} />
          </g>
        );
      })}
    </g>
  );
}

function nearestMeasured(curve: MemoryDelayCurve, bytes: number, frame: Frame): MeasuredPoint | undefined {
  const near = curve.measured
    .map((point) => ({ point, away: Math.abs(frame.x(point.budgetBytes) - frame.x(bytes)) }))
    .filter(({ away }) => away <= 8)
    .sort((a, b) => a.away - b.away);
  return near[0]?.point;
}

/** What the curve says at a budget, in one line. */
function readout(curve: MemoryDelayCurve, bytes: number, measured: MeasuredPoint | undefined): string {
  const at = pointAt(curve.points, bytes);
  const parts = [
    formatBytes(bytes),
    `${WORDS.predicted} ${formatMs(predictAt(curve.points, bytes) ?? Number.NaN)}`,
    ...(at === undefined
      ? []
      : [WORDS.layersResident(at.residentLayers, curve.points.at(-1)?.residentLayers ?? 0)]),
  ];
  if (measured !== undefined) {
    const spread = `${measured.p10Ms.toFixed(1)} to ${formatMs(measured.p90Ms)}`;
    parts.push(
      `${WORDS.measured} ${formatMs(measured.medianMs)} (${spread}, ${measured.mode}, ${WORDS.runs(measured.runs)})`,
    );
  }
  return parts.join(' · ');
}

interface MemoryDelayPlotProps {
  readonly curve: MemoryDelayCurve;
  readonly budgetBytes: number;
  readonly onBudget: (bytes: number) => void;
  /** Resident mode has no budget to choose. */
  readonly disabled: boolean;
}

/**
 * The memory-delay curve. A native range input lies over the whole plot: dragging anywhere, arrow keys and assistive
 * technology set the budget.
 */
export function MemoryDelayPlot({ curve, budgetBytes, onBudget, disabled }: MemoryDelayPlotProps): ReactNode {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [hoverBytes, setHoverBytes] = useState<number>();
  const budget = budgetScale(curve.minimumBytes, curve.totalBytes);
  const latency = latencyScale(curve);
  const frame = makeFrame(width, budget, latency);
  const pointed = hoverBytes ?? budgetBytes;
  const measured = nearestMeasured(curve, pointed, frame);
  const line = curve.points
    .map((point) => `${frame.x(point.budgetBytes)},${frame.y(point.predictedMs)}`)
    .join(' ');
  const marker = frame.x(budgetBytes);
  const atBudget = predictAt(curve.points, budgetBytes);
  return (
    <div ref={ref} className={styles['plot']} data-testid="run-curve" data-disabled={disabled}>
      <p className={styles['readout']}>{readout(curve, pointed, measured)}</p>
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <Axes frame={frame} budget={budget} latency={latency} />
        <Asymptotes frame={frame} curve={curve} />
        <polyline className={styles['predicted']} points={line} />
        <Measured frame={frame} points={curve.measured} mode={curve.mode} />
        {hoverBytes !== undefined && (
          <line
            className={styles['hover']}
            x1={frame.x(hoverBytes)}
            x2={frame.x(hoverBytes)}
            y1={MARGIN.top}
            y2={frame.bottom}
          />
        )}
        <g className={styles['marker']}>
          <line x1={marker} x2={marker} y1={MARGIN.top - 4} y2={frame.bottom} />
          {atBudget !== undefined && <circle cx={marker} cy={frame.y(atBudget)} r={4.5} />}
          <path d={`M${marker - 5} ${MARGIN.top - 8}h10l-5 7z`} />
        </g>
      </svg>
      <input
        type="range"
        className={styles['slider']}
        style={{ left: MARGIN.left - 1, right: MARGIN.right - 1 }}
        aria-label={STRINGS.budget}
        aria-valuetext={readout(curve, budgetBytes, undefined)}
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
  );
}
