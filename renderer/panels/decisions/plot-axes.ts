import type uPlot from 'uplot';

import { formatTicks } from '../../format';
import type { Token } from '../../ui';

const STEPS = [1, 2, 4, 5, 8, 10] as const;

/** The least round value at or above `high`, so that it and its half can be read; `least` while there is no data. */
export function topAbove(high: number | null, least: number): number {
  const top = Math.max(least, high ?? 0);
  const power = 10 ** Math.floor(Math.log10(top));
  return power * (STEPS.find((step) => step * power >= top) ?? 10);
}

/** Both axes in the console's style; three labels on the y axis. */
export function axesOf(token: Token): { readonly x: uPlot.Axis; readonly y: uPlot.Axis } {
  const font = `${token('--text-small')} ${token('--font-ui')}`;
  const base: uPlot.Axis = {
    stroke: token('--text-muted'),
    font,
    ticks: { show: false },
    border: { show: false },
    grid: { stroke: token('--border'), width: 1 },
  };
  return {
    x: { ...base, size: 20, gap: 2 },
    y: {
      ...base,
      size: 48,
      gap: 4,
      splits: (_chart, _axis, low, high) => [low, (low + high) / 2, high],
      values: (_chart, splits) => formatTicks(splits),
    },
  };
}
