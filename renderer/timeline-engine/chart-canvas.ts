import { attachGestures } from './gestures';
import type { GestureTarget } from './gestures';
import { handleKey } from './keys';
import type { KeyTarget } from './keys';
import { watchPixelRatio } from './surface';
import { watchTheme } from './theme';

export interface ChartInput {
  readonly gestures: GestureTarget;
  readonly keys: KeyTarget;
  /** The size or the screen's pixel ratio changed: all must be drawn again. */
  readonly onResize: () => void;
  /** The page's theme changed. */
  readonly onTheme: () => void;
  /** Draws, in an animation frame. */
  readonly draw: () => void;
}

/** A canvas that fills its host, for one layer of a picture. */
export function canvasIn(host: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  Object.assign(canvas.style, { position: 'absolute', inset: '0', width: '100%', height: '100%' });
  host.append(canvas);
  return canvas;
}

/**
 * What charts over time stand on: a focusable canvas in a host element that hears gestures and keys while it has the
 * pointer or the focus, knows its size, and is drawn in an animation frame when that was asked for.
 */
export class ChartCanvas {
  readonly canvas: HTMLCanvasElement;
  widthPx = 0;
  heightPx = 0;
  readonly #draw: () => void;
  readonly #cleanUp: readonly (() => void)[];
  #requested = 0;

  constructor(host: HTMLElement, { gestures, keys, onResize, onTheme, draw }: ChartInput) {
    // Not over a place that the page gave it: a host that fills its frame would have no height.
    if (getComputedStyle(host).position === 'static') host.style.position = 'relative';
    this.canvas = canvasIn(host);
    this.canvas.style.touchAction = 'none';
    this.canvas.tabIndex = 0;
    this.#draw = draw;
    const resized = new ResizeObserver(() => {
      this.widthPx = host.clientWidth;
      this.heightPx = host.clientHeight;
      onResize();
    });
    resized.observe(host);
    const onKey = (event: KeyboardEvent): void => handleKey(event, keys);
    this.canvas.addEventListener('keydown', onKey);
    this.#cleanUp = [
      () => resized.disconnect(),
      () => this.canvas.removeEventListener('keydown', onKey),
      attachGestures(this.canvas, gestures),
      watchTheme(onTheme),
      // The ratio changes with page zoom (which also resizes) and when the window moves to another screen.
      watchPixelRatio(onResize),
    ];
  }

  /** Draws in the next animation frame, however often it is asked before. */
  request(): void {
    if (this.#requested !== 0) return;
    this.#requested = requestAnimationFrame(() => {
      this.#requested = 0;
      this.#draw();
    });
  }

  destroy(): void {
    cancelAnimationFrame(this.#requested);
    for (const undo of this.#cleanUp) undo();
    this.canvas.remove();
  }
}
