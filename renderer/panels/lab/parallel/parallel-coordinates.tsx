import { useCallback, useMemo, useRef, useState } from 'react';
import type { MouseEvent, ReactNode } from 'react';

import { formatCount } from '../../../format';
import { strings } from '../../../strings';
import { ChartFrame } from '../../../ui';
import type { ChartTable } from '../../../ui';
import { drawLines, lineAt, shadesBetween, shapesOf } from './draw-parallel';
import type { ParallelPlace } from './draw-parallel';
import { Axis } from './parallel-axis';
import styles from './parallel.module.css';
import { brushOf, isKept, unitOf, withBrush } from './parallel-scale';
import type { ParallelAxis, ParallelCoordinatesProps, ParallelLine } from './parallel-types';
import { useCanvas } from './use-canvas';

const STRINGS = strings.lab.parallel;

/** Rooms above, below and at the sides of the axes. */
const TOP_PX = 40;
const BOTTOM_PX = 24;
const SIDE_PX = 56;
/** Nearer than this the axes' names would run into each other: the picture scrolls sideways. */
const LEAST_GAP_PX = 92;
const NEAR_PX = 5;

function placeOf(axes: readonly ParallelAxis[], widthPx: number, heightPx: number): ParallelPlace {
  const gap = axes.length < 2 ? 0 : (widthPx - 2 * SIDE_PX) / (axes.length - 1);
  return {
    xs: axes.map((_, index) => (axes.length < 2 ? widthPx / 2 : SIDE_PX + index * gap)),
    topPx: TOP_PX,
    bottomPx: Math.max(TOP_PX + 1, heightPx - BOTTOM_PX),
  };
}

/** 0: the bad end, 1: the good one. */
function tonesOf({ axes, lines, colourBy, best = 'max' }: ParallelCoordinatesProps): readonly number[] {
  const index = axes.findIndex(({ id }) => id === colourBy);
  const axis = axes[index];
  if (axis === undefined) return lines.map(() => 1);
  return lines.map((line) => {
    const unit = unitOf(axis, line.values[index]);
    if (unit === undefined) return 0;
    return best === 'max' ? unit : 1 - unit;
  });
}

/** How often the lines and their colours are worked out again: when the data change, not while a brush moves. */
function useShapes(props: ParallelCoordinatesProps) {
  const { axes, lines, colourBy, best, brushes } = props;
  const shapes = useMemo(() => shapesOf(axes, lines), [axes, lines]);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- of the properties these alone decide
  const tones = useMemo(() => tonesOf(props), [axes, lines, colourBy, best]);
  const kept = useMemo(
    () => lines.map((line) => brushes.length === 0 || isKept(axes, line, brushes)),
    [axes, lines, brushes],
  );
  return { shapes, tones, kept };
}

function linesTable(axes: readonly ParallelAxis[], lines: readonly ParallelLine[]): ChartTable {
  return {
    columns: [STRINGS.line, ...axes.map(({ label }) => label)],
    rows: lines.map(({ label, values }) => [label, ...axes.map((_axis, at) => values[at] ?? null)]),
  };
}

/** Lines over parallel axes. Brushes keep those that go through all of them. */
export function ParallelCoordinates(props: ParallelCoordinatesProps): ReactNode {
  const { axes, lines, brushes, onBrush, marked, onOpen } = props;
  const frame = useRef<HTMLDivElement>(null);
  const back = useRef<HTMLCanvasElement>(null);
  const front = useRef<HTMLCanvasElement>(null);
  const [near, setNear] = useState<{ readonly index: number; readonly x: number; readonly y: number }>();
  const { shapes, tones, kept } = useShapes(props);
  const isBrushed = brushes.length > 0;
  const drawBack = useCallback<Parameters<typeof useCanvas>[2]>(
    (context, size, token) => {
      context.lineWidth = 1;
      context.globalAlpha = 0.55;
      drawLines(context, placeOf(axes, size.widthPx, size.heightPx), shapes, [], [token('--border')]);
    },
    [axes, shapes],
  );
  const drawFront = useCallback<Parameters<typeof useCanvas>[2]>(
    (context, size, token) => {
      const place = placeOf(axes, size.widthPx, size.heightPx);
      const isIn = (_: unknown, index: number): boolean => kept[index] === true;
      context.lineWidth = 1.25;
      context.globalAlpha = lines.length > 300 && !isBrushed ? 0.6 : 0.9;
      const shades = shadesBetween(token('--border-strong'), token('--accent'));
      drawLines(context, place, shapes.filter(isIn), tones.filter(isIn), shades);
      const top = near?.index ?? lines.findIndex(({ id }) => id === marked);
      const shape = shapes[top];
      if (shape === undefined) return;
      context.globalAlpha = 1;
      context.lineWidth = 2.5;
      drawLines(context, place, [shape], [1], [token('--text')]);
    },
    [axes, lines, shapes, tones, kept, isBrushed, near, marked],
  );
  useCanvas(frame, back, drawBack);
  const size = useCanvas(frame, front, drawFront);
  const place = placeOf(axes, size.widthPx, size.heightPx);
  const look = (event: MouseEvent<HTMLElement>): void => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const shown = isBrushed ? shapes.map((shape, index) => (kept[index] === true ? shape : HIDDEN)) : shapes;
    const index = lineAt(place, shown, x, y, NEAR_PX);
    if (index !== near?.index) setNear(index === undefined ? undefined : { index, x, y });
  };
  const nearLine = near === undefined ? undefined : lines[near.index];
  const keptCount = kept.reduce((sum, each) => sum + Number(each), 0);
  return (
    <figure className={styles['figure']} aria-label={props.label} data-testid="parallel">
      <ChartFrame
        className={styles['framed']}
        title={props.label}
        table={() => linesTable(axes, lines)}
        lines={[axes.length]}
      >
        <div className={styles['scroll']}>
          <div
            ref={frame}
            className={styles['frame']}
            style={{ minWidth: 2 * SIDE_PX + (axes.length - 1) * LEAST_GAP_PX }}
            data-near={nearLine !== undefined && onOpen !== undefined}
            onMouseMove={look}
            onMouseLeave={() => setNear(undefined)}
            onClick={(event) => {
              if (nearLine !== undefined && !(event.target as Element).closest('[role=group]'))
                onOpen?.(nearLine.id);
            }}
          >
            <canvas ref={back} aria-hidden="true" />
            <canvas ref={front} aria-hidden="true" />
            {axes.map((axis, index) => (
              <Axis
                key={axis.id}
                axis={axis}
                brush={brushOf(brushes, axis.id)}
                xPx={place.xs[index] ?? 0}
                onBrush={(brush) => onBrush(withBrush(brushes, axis.id, brush))}
              />
            ))}
            {near !== undefined && nearLine !== undefined && (
              <div className={styles['tip']} style={{ left: near.x, top: near.y }}>
                {nearLine.label}
              </div>
            )}
          </div>
        </div>
      </ChartFrame>
      <figcaption>
        <span role="status" data-testid="parallel-count">
          {isBrushed ? STRINGS.count(formatCount(keptCount), formatCount(lines.length)) : STRINGS.hint}
        </span>
      </figcaption>
    </figure>
  );
}

/** Near to nothing. */
const HIDDEN = new Float64Array(64).fill(Number.NaN);
