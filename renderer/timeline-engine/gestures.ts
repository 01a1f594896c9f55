import { AXIS_PX } from './lane-layout';

/** What the user's hands ask of the timeline. Positions are CSS pixels from the canvas's top left. */
export interface GestureTarget {
  zoomAt(factor: number, xPx: number): void;
  panPx(byPx: number): void;
  hover(xPx: number, yPx: number): void;
  leave(): void;
  click(xPx: number, yPx: number): void;
  doubleClick(xPx: number, yPx: number): void;
  /** A range drag; `done` on its last call. */
  range(fromPx: number, toPx: number, yPx: number, done: boolean): void;
}

/** A press that moves less is a click. */
const CLICK_SLOP_PX = 4;
/** Zoom per wheel pixel: a notch of a mouse wheel (about 100 px) is a factor of 1.3. */
const ZOOM_PER_PX = 0.0026;
/** A pinch on a touchpad arrives as small wheel steps with ctrl. */
const PINCH_PER_PX = 0.01;
const LINE_PX = 16;

interface Press {
  readonly startX: number;
  readonly startY: number;
  readonly mode: 'pan' | 'range';
  lastX: number;
  moved: boolean;
}

/** Listens for pointer and wheel. @returns removes the listeners. */
export function attachGestures(element: HTMLElement, target: GestureTarget): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const pointers = new Map<number, { x: number; y: number }>();
  let press: Press | undefined;

  const at = (event: MouseEvent): { x: number; y: number } => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const perUnit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const dx = event.deltaX * perUnit;
    const dy = event.deltaY * perUnit;
    if (event.shiftKey && !event.ctrlKey) target.panPx(dx + dy);
    else if (Math.abs(dx) > Math.abs(dy)) target.panPx(dx);
    else target.zoomAt(Math.exp(-dy * (event.ctrlKey ? PINCH_PER_PX : ZOOM_PER_PX)), at(event).x);
  };

  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    target.leave();
    const { x, y } = at(event);
    pointers.set(event.pointerId, { x, y });
    element.setPointerCapture(event.pointerId);
    const mode = event.shiftKey || y < AXIS_PX ? 'range' : 'pan';
    press = pointers.size === 1 ? { startX: x, startY: y, lastX: x, mode, moved: false } : undefined;
  };

  const onMove = (event: PointerEvent): void => {
    const { x, y } = at(event);
    const before = pointers.get(event.pointerId);
    if (pointers.size === 2 && before) {
      pinch(pointers, event.pointerId, { x, y }, target);
      return;
    }
    if (!press) {
      target.hover(x, y);
      return;
    }
    press.moved ||= Math.abs(x - press.startX) > CLICK_SLOP_PX;
    if (!press.moved) return;
    if (press.mode === 'range') target.range(press.startX, x, press.startY, false);
    else target.panPx(press.lastX - x);
    press.lastX = x;
  };

  const onUp = (event: PointerEvent): void => {
    const { x, y } = at(event);
    pointers.delete(event.pointerId);
    const ended = press;
    press = undefined;
    if (!ended || event.type === 'pointercancel') return;
    if (!ended.moved) target.click(x, y);
    else if (ended.mode === 'range') target.range(ended.startX, x, ended.startY, true);
  };

  element.addEventListener('wheel', onWheel, { passive: false, signal });
  element.addEventListener('pointerdown', onDown, { signal });
  element.addEventListener('pointermove', onMove, { signal });
  element.addEventListener('pointerup', onUp, { signal });
  element.addEventListener('pointercancel', onUp, { signal });
  element.addEventListener('pointerleave', () => target.leave(), { signal });
  element.addEventListener('dblclick', (event) => target.doubleClick(at(event).x, at(event).y), { signal });
  return () => abort.abort();
}

/** Two fingers: their distance zooms around their middle, their middle pans. */
function pinch(
  pointers: Map<number, { x: number; y: number }>,
  moved: number,
  to: { x: number; y: number },
  target: GestureTarget,
): void {
  const spread = (): { distance: number; middle: number } => {
    const [a, b] = [...pointers.values()];
    if (!a || !b) return { distance: 1, middle: 0 };
    return { distance: Math.max(10, Math.abs(a.x - b.x)), middle: (a.x + b.x) / 2 };
  };
  const before = spread();
  pointers.set(moved, to);
  const after = spread();
  target.panPx(before.middle - after.middle);
  target.zoomAt(after.distance / before.distance, after.middle);
}
