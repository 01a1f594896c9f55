/** A stretch of trace time, microseconds; `endUs` > `startUs`. */
export interface TimeWindow {
  readonly startUs: number;
  readonly endUs: number;
}

/** Maps trace time to horizontal CSS pixels. */
export interface TimeScale {
  readonly window: TimeWindow;
  readonly leftPx: number;
  readonly widthPx: number;
}

/** Nobody needs to see less: clocks resolve about a tenth of a microsecond. */
export const MIN_WINDOW_US = 2;

export function usPerPx(scale: TimeScale): number {
  return (scale.window.endUs - scale.window.startUs) / scale.widthPx;
}

export function usToPx(scale: TimeScale, us: number): number {
  return scale.leftPx + (us - scale.window.startUs) / usPerPx(scale);
}

export function pxToUs(scale: TimeScale, px: number): number {
  return scale.window.startUs + (px - scale.leftPx) * usPerPx(scale);
}

/** A stretch of a trace with a hundredth of it as margin on each side. @param startUs at most 0. */
export function wholeTrace(durationUs: number, startUs = 0): TimeWindow {
  const endUs = Math.max(durationUs, MIN_WINDOW_US);
  const marginUs = (endUs - startUs) / 100;
  return { startUs: startUs - marginUs, endUs: endUs + marginUs };
}

/** Zooms by `factor` (2: see half as much) so that `atUs` stays under the same pixel, as far as the bounds allow. */
export function zoomAt(window: TimeWindow, factor: number, atUs: number, bounds: TimeWindow): TimeWindow {
  const boundsUs = bounds.endUs - bounds.startUs;
  const oldUs = window.endUs - window.startUs;
  const newUs = Math.min(boundsUs, Math.max(MIN_WINDOW_US, oldUs / factor));
  const share = (atUs - window.startUs) / oldUs;
  return clampWindow({ startUs: atUs - share * newUs, endUs: atUs + (1 - share) * newUs }, bounds);
}

export function panBy(window: TimeWindow, byUs: number, bounds: TimeWindow): TimeWindow {
  return clampWindow({ startUs: window.startUs + byUs, endUs: window.endUs + byUs }, bounds);
}

/** Shifts (and if need be shrinks or grows) a window into the bounds. */
export function clampWindow(window: TimeWindow, bounds: TimeWindow): TimeWindow {
  const boundsUs = bounds.endUs - bounds.startUs;
  const lengthUs = Math.min(boundsUs, Math.max(MIN_WINDOW_US, window.endUs - window.startUs));
  const startUs = Math.min(Math.max(window.startUs, bounds.startUs), bounds.endUs - lengthUs);
  return { startUs, endUs: startUs + lengthUs };
}

/** Shows `target` with some room around it. */
export function windowAround(target: TimeWindow, bounds: TimeWindow): TimeWindow {
  const roomUs = Math.max(target.endUs - target.startUs, MIN_WINDOW_US) * 0.5;
  return clampWindow({ startUs: target.startUs - roomUs, endUs: target.endUs + roomUs }, bounds);
}

export interface Ticks {
  /** Between labelled ticks, microseconds: 1, 2 or 5 times a power of ten. */
  readonly stepUs: number;
  readonly atUs: readonly number[];
}

/** Round times at least `minGapPx` apart that lie in the window. */
export function ticks(scale: TimeScale, minGapPx: number): Ticks {
  const stepUs = roundStep(usPerPx(scale) * minGapPx);
  const first = Math.ceil(Math.max(0, scale.window.startUs) / stepUs);
  const last = Math.floor(scale.window.endUs / stepUs);
  const atUs: number[] = [];
  for (let index = first; index <= last; index += 1) atUs.push(index * stepUs);
  return { stepUs, atUs };
}

function roundStep(atLeastUs: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeastUs));
  const factor = [1, 2, 5].find((candidate) => candidate * power >= atLeastUs * (1 - 1e-9)) ?? 10;
  return factor * power;
}
