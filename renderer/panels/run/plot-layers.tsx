import type { ReactNode } from 'react';

import type { MeasuredPoint, MemoryDelayCurve } from '../../../core/contract';
import { formatMs } from '../../format';
import { strings } from '../../strings';
import type { Scale } from './curve-scale';
import styles from './memory-delay-plot.module.css';
import { budgetLabels, MARGIN } from './plot-frame';
import type { Frame } from './plot-frame';

const STRINGS = strings.run;

const WORDS = STRINGS.curve;

interface AxesProps {
  readonly frame: Frame;
  readonly curve: MemoryDelayCurve;
  readonly budget: Scale;
  readonly latency: Scale;
}

export function Axes({ frame, curve, budget, latency }: AxesProps): ReactNode {
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
      {budgetLabels(curve, budget, frame, WORDS).map(({ x, text, anchor }) => (
        <text key={text} x={x} y={frame.bottom + 15} textAnchor={anchor}>
          {text}
        </text>
      ))}
      <text x={2} y={10}>
        {WORDS.yTitle}
      </text>
    </g>
  );
}

/** The two limits as lines. */
export function Limits({
  frame,
  curve,
}: {
  readonly frame: Frame;
  readonly curve: MemoryDelayCurve;
}): ReactNode {
  const lines = [
    { kind: 'resident', y: frame.y(curve.residentMs) },
    { kind: 'read', y: frame.y(curve.readLimitMs) },
  ];
  return (
    <g className={styles['limits']}>
      {lines.map(({ kind, y }) => (
        <line key={kind} data-kind={kind} x1={frame.left} x2={frame.right} y1={y} y2={y} />
      ))}
    </g>
  );
}

/** The limits' names and figures. Beside their lines they would lie over the curve, which ends at one of them. */
export function LimitLegend({ curve }: { readonly curve: MemoryDelayCurve }): ReactNode {
  return (
    <ul className={styles['limitLegend']} aria-hidden="true">
      <li data-kind="resident">{`${WORDS.resident} ${formatMs(curve.residentMs)}`}</li>
      <li data-kind="read">{`${WORDS.readLimit} ${formatMs(curve.readLimitMs)}`}</li>
    </ul>
  );
}

interface MeasuredDotsProps {
  readonly frame: Frame;
  readonly points: readonly MeasuredPoint[];
  /** Its dots are filled, those of other modes hollow. */
  readonly mode: string;
}

export function MeasuredDots({ frame, points, mode }: MeasuredDotsProps): ReactNode {
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

interface MarkerProps {
  readonly frame: Frame;
  readonly budgetBytes: number;
  /** Undefined without a prediction. */
  readonly predictedMs: number | undefined;
}

/** The budget: a handle to drag. */
export function BudgetMarker({ frame, budgetBytes, predictedMs }: MarkerProps): ReactNode {
  const x = frame.x(budgetBytes);
  return (
    <g className={styles['marker']}>
      <line x1={x} x2={x} y1={MARGIN.top - 4} y2={frame.bottom} />
      {predictedMs !== undefined && <circle cx={x} cy={frame.y(predictedMs)} r={4.5} />}
      <path d={`M${x - 5} ${MARGIN.top - 8}h10l-5 7z`} />
    </g>
  );
}
