import { mixed } from '../../../ui';
import type { ParallelAxis, ParallelLine } from './parallel-types';
import { unitOf } from './parallel-scale';

/** Lines of one colour are stroked together. */
const SHADES = 12;

export interface ParallelPlace {
  /** By axis, CSS pixels. */
  readonly xs: readonly number[];
  readonly topPx: number;
  readonly bottomPx: number;
}

/** A line's points; NaN where it has no place on the axis. */
export type Shape = Float64Array;

export function shapesOf(axes: readonly ParallelAxis[], lines: readonly ParallelLine[]): readonly Shape[] {
  return lines.map((line) =>
    Float64Array.from(axes, (axis, index) => unitOf(axis, line.values[index]) ?? Number.NaN),
  );
}

function yOf(place: ParallelPlace, unit: number): number {
  return place.bottomPx - unit * (place.bottomPx - place.topPx);
}

function trace(context: CanvasRenderingContext2D, place: ParallelPlace, shape: Shape): void {
  let isDown = false;
  for (let index = 0; index < shape.length; index++) {
    const unit = shape[index]!;
    if (Number.isNaN(unit)) {
      isDown = false;
      continue;
    }
    const x = place.xs[index]!;
    const y = yOf(place, unit);
    if (isDown) context.lineTo(x, y);
    else context.moveTo(x, y);
    isDown = true;
  }
}

/** Mixes two colours of tokens, in even steps. */
export function shadesBetween(from: string, to: string): readonly string[] {
  return Array.from({ length: SHADES }, (_, index) => mixed(from, to, index / (SHADES - 1)));
}

/** Lines in their shades, the good ones over the others. `tones`: 0..1, NaN: the middle. */
export function drawLines(
  context: CanvasRenderingContext2D,
  place: ParallelPlace,
  shapes: readonly Shape[],
  tones: readonly number[],
  shades: readonly string[],
): void {
  const parts: Shape[][] = shades.map(() => []);
  shapes.forEach((shape, index) => {
    const tone = tones[index] ?? Number.NaN;
    const at = Math.round((Number.isNaN(tone) ? 0.5 : tone) * (shades.length - 1));
    parts[at]?.push(shape);
  });
  parts.forEach((part, index) => {
    if (part.length === 0) return;
    context.strokeStyle = shades[index] ?? '';
    context.beginPath();
    for (const shape of part) trace(context, place, shape);
    context.stroke();
  });
}

/** Index of the line nearest to a point, within `mostPx`; undefined: none is near. */
export function lineAt(
  place: ParallelPlace,
  shapes: readonly Shape[],
  x: number,
  y: number,
  mostPx: number,
): number | undefined {
  const right = place.xs.findIndex((each) => each >= x);
  if (right <= 0) return undefined;
  const [from, to] = [place.xs[right - 1]!, place.xs[right]!];
  const share = (x - from) / (to - from);
  let best: number | undefined;
  let least = mostPx;
  shapes.forEach((shape, index) => {
    const unit = shape[right - 1]! + share * (shape[right]! - shape[right - 1]!);
    const away = Math.abs(yOf(place, unit) - y);
    if (away <= least) {
      least = away;
      best = index;
    }
  });
  return best;
}
