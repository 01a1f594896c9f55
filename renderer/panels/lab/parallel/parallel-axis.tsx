import { useRef } from 'react';
import type { CSSProperties, KeyboardEvent, PointerEvent, ReactNode } from 'react';

import { strings } from '../../../strings';
import styles from './parallel.module.css';
import { axisText, dragged, movedEnd, toggledCategory, unitOfNumber } from './parallel-scale';
import type { ParallelAxis, ParallelBrush } from './parallel-types';

const STRINGS = strings.lab.parallel;

/** How near to a brush's end a drag takes the end, CSS pixels. */
const EDGE_PX = 7;
const KEY_STEP = 0.02;
const PAGE_STEP = 0.1;

interface AxisProps<A extends ParallelAxis> {
  readonly axis: A;
  readonly brush: ParallelBrush | undefined;
  readonly xPx: number;
  readonly onBrush: (brush: ParallelBrush | undefined) => void;
}

type NumberAxis = Extract<ParallelAxis, { readonly kind: 'number' }>;

const KEY_MOVES: Readonly<Record<string, number>> = {
  ArrowUp: KEY_STEP,
  ArrowRight: KEY_STEP,
  ArrowDown: -KEY_STEP,
  ArrowLeft: -KEY_STEP,
  PageUp: PAGE_STEP,
  PageDown: -PAGE_STEP,
};

function NumberTrack({ axis, brush, onBrush }: AxisProps<NumberAxis>): ReactNode {
  const isOn = brush !== undefined && !('values' in brush);
  const min = isOn ? brush.min : axis.min;
  const max = isOn ? brush.max : axis.max;
  const low = isOn ? unitOfNumber(axis, min) : 0;
  const high = isOn ? unitOfNumber(axis, max) : 1;
  const drag = useRef<{ readonly from: number; readonly before: ParallelBrush | undefined }>(undefined);
  const unitAt = (event: PointerEvent<HTMLElement>): number => {
    const { bottom, height } = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (bottom - event.clientY) / height));
  };
  const begin = (event: PointerEvent<HTMLElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { from: unitAt(event), before: brush };
  };
  const move = (event: PointerEvent<HTMLElement>): void => {
    const start = drag.current;
    if (start === undefined) return;
    const edge = EDGE_PX / event.currentTarget.clientHeight;
    onBrush(dragged(axis, start.before, start.from, unitAt(event), edge));
  };
  const onKey = (event: KeyboardEvent<HTMLElement>, end: 'min' | 'max'): void => {
    const by = KEY_MOVES[event.key];
    if (by !== undefined) onBrush(movedEnd(axis, brush, end, by));
    else if (event.key === 'Delete' || event.key === 'Backspace') onBrush(undefined);
    else return;
    event.preventDefault();
  };
  const thumb = (end: 'min' | 'max'): ReactNode => {
    const value = end === 'min' ? min : max;
    return (
      <span
        role="slider"
        tabIndex={0}
        aria-orientation="vertical"
        aria-label={end === 'min' ? STRINGS.from(axis.label) : STRINGS.to(axis.label)}
        aria-valuemin={axis.min}
        aria-valuemax={axis.max}
        aria-valuenow={value}
        aria-valuetext={axisText(value)}
        className={styles['thumb']}
        data-end={end}
        style={{ bottom: `${100 * (end === 'min' ? low : high)}%` }}
        onKeyDown={(event) => onKey(event, end)}
      >
        {isOn && <b>{axisText(value)}</b>}
      </span>
    );
  };
  return (
    <div
      className={styles['track']}
      data-brushed={isOn}
      onPointerDown={begin}
      onPointerMove={move}
      onLostPointerCapture={() => (drag.current = undefined)}
      onDoubleClick={() => onBrush(undefined)}
    >
      <i className={styles['line']} />
      <i className={styles['brush']} style={{ bottom: `${100 * low}%`, top: `${100 * (1 - high)}%` }} />
      {thumb('max')}
      {thumb('min')}
    </div>
  );
}

function CategoryTrack(props: AxisProps<Extract<ParallelAxis, { readonly kind: 'category' }>>): ReactNode {
  const { axis, brush, onBrush } = props;
  const kept = brush !== undefined && 'values' in brush ? brush.values : undefined;
  return (
    <div className={styles['track']} data-kind="category">
      <i className={styles['line']} />
      {axis.values.map((value, index) => (
        <button
          key={value}
          type="button"
          aria-pressed={kept?.includes(value) ?? false}
          aria-label={STRINGS.value(axis.label, value)}
          className={styles['category']}
          style={{ bottom: `${(100 * (index + 0.5)) / axis.values.length}%` }}
          onClick={() => onBrush(toggledCategory(axis, brush, value))}
        >
          {value}
        </button>
      ))}
    </div>
  );
}

/** One axis: its name, its ends, and the brush on it. */
export function Axis(props: AxisProps<ParallelAxis>): ReactNode {
  const { axis, brush } = props;
  const place = { '--x': `${props.xPx}px` } as CSSProperties;
  return (
    <div
      role="group"
      aria-label={axis.label}
      className={styles['axis']}
      style={place}
      data-axis={axis.id}
      data-brushed={brush !== undefined}
    >
      <header title={axis.hint ?? axis.label}>
        <span>{axis.label}</span>
        {brush !== undefined && (
          <button
            type="button"
            aria-label={STRINGS.clear(axis.label)}
            onClick={() => props.onBrush(undefined)}
          >
            ×
          </button>
        )}
      </header>
      {axis.kind === 'number' && <span className={styles['end']}>{axisText(axis.max)}</span>}
      {axis.kind === 'number' ? (
        <NumberTrack {...props} axis={axis} />
      ) : (
        <CategoryTrack {...props} axis={axis} />
      )}
      {axis.kind === 'number' && <span className={styles['end']}>{axisText(axis.min)}</span>}
    </div>
  );
}
