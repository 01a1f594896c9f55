import type { MemoryDelayCurve } from '../../../core/contract';
import { formatBytes } from '../../format';
import type { Scale } from './curve-scale';
import type { Size } from '../../ui';

/** Where the plot's inner area lies, CSS pixels. */
export const MARGIN = { left: 40, right: 14, top: 20, bottom: 20 };

/** Budget and latency to pixels of the plot. */
export interface Frame {
  readonly x: (bytes: number) => number;
  readonly y: (ms: number) => number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

export function makeFrame({ width, height }: Size, budget: Scale, latency: Scale): Frame {
  const innerWidth = Math.max(1, width - MARGIN.left - MARGIN.right);
  const innerHeight = Math.max(1, height - MARGIN.top - MARGIN.bottom);
  return {
    x: (bytes) => MARGIN.left + budget.toUnit(bytes) * innerWidth,
    y: (ms) => MARGIN.top + (1 - latency.toUnit(ms)) * innerHeight,
    left: MARGIN.left,
    right: MARGIN.left + innerWidth,
    bottom: MARGIN.top + innerHeight,
  };
}

export interface AxisLabel {
  readonly x: number;
  readonly text: string;
  readonly anchor: 'start' | 'middle' | 'end';
}

/** Room one label takes along the axis, CSS pixels. */
const LABEL_PX = 64;

/**
 * Labels of the budget axis: the least budget at its left end and the whole at its right, named, and the ticks
 * between them that leave both room.
 */
export function budgetLabels(
  curve: Pick<MemoryDelayCurve, 'minimumBytes' | 'totalBytes'>,
  budget: Scale,
  frame: Frame,
  words: { readonly least: string; readonly whole: string },
): readonly AxisLabel[] {
  const ends: readonly AxisLabel[] = [
    { x: frame.left, text: `${words.least} ${formatBytes(curve.minimumBytes)}`, anchor: 'start' },
    { x: frame.right, text: `${words.whole} ${formatBytes(curve.totalBytes)}`, anchor: 'end' },
  ];
  const between = budget.ticks
    .map((bytes): AxisLabel => ({
      x: frame.x(bytes),
      text: formatBytes(bytes).replace('.0', ''),
      anchor: 'middle',
    }))
    .filter(({ x }) => x > frame.left + 1.5 * LABEL_PX && x < frame.right - 1.5 * LABEL_PX);
  const spaced: AxisLabel[] = [];
  for (const label of between) {
    const last = spaced.at(-1);
    if (last === undefined || label.x - last.x >= LABEL_PX) spaced.push(label);
  }
  return [...ends, ...spaced];
}
