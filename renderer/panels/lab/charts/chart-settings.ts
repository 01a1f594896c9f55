/** How all plots of a page are drawn. */
export interface ChartSettings {
  /** Weight of the moving average, 0 to below 1. */
  readonly smoothing: number;
  readonly x: 'step' | 'relative' | 'wall';
  readonly isLog: boolean;
}

export const DEFAULT_SETTINGS: ChartSettings = { smoothing: 0.6, x: 'step', isLog: false };

/** A part of the x axis, in its own unit: steps, seconds since the first point, or since the Unix epoch. */
export interface ChartRange {
  readonly from: number;
  readonly to: number;
}

/** A share of the range by which a key moves it. */
const MOVE = 0.15;
const ZOOM = 0.7;

/** What a key makes of the range in view. `whole`: all there is. Undefined: all of it. */
export function rangeAfterKey(
  key: string,
  shown: ChartRange,
  whole: ChartRange,
): ChartRange | undefined | 'none' {
  const span = shown.to - shown.from;
  const middle = (shown.from + shown.to) / 2;
  const within = (from: number, to: number): ChartRange | undefined =>
    from <= whole.from && to >= whole.to
      ? undefined
      : { from: Math.max(whole.from, from), to: Math.min(whole.to, to) };
  const moved = (by: number): ChartRange | undefined => {
    const least = whole.from - shown.from;
    const most = whole.to - shown.to;
    const step = Math.min(most, Math.max(least, by));
    return within(shown.from + step, shown.to + step);
  };
  switch (key) {
    case 'ArrowLeft':
      return moved(-span * MOVE);
    case 'ArrowRight':
      return moved(span * MOVE);
    case '+':
    case '=':
      return within(middle - (span * ZOOM) / 2, middle + (span * ZOOM) / 2);
    case '-':
      return within(middle - span / ZOOM / 2, middle + span / ZOOM / 2);
    case '0':
      return undefined;
    default:
      return 'none';
  }
}

/** How many plots stand beside each other where as many have room as one likes: no row with one left over. */
export function gridColumns(plots: number): 'one' | 'two' | 'many' {
  if (plots === 1) return 'one';
  return plots === 2 || plots === 4 ? 'two' : 'many';
}
