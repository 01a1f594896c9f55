import { describeHit } from './describe-hit';
import { drawFrame } from './draw-frame';
import type { Frame } from './draw-frame';
import { drawOverlay } from './draw-overlay';
import { attachGestures } from './gestures';
import type { GestureTarget } from './gestures';
import { boxAt, hitTest, snapToEdge } from './hit-test';
import type { Hit, SpanRef } from './hit-test';
import { handleKey } from './keys';
import type { KeyTarget } from './keys';
import { GUTTER_PX, RIGHT_PX, laneOf, layoutLanes } from './lane-layout';
import { paint, watchPixelRatio } from './surface';
import { readTheme, watchTheme } from './theme';
import type { TimelineTheme } from './theme';
import { panBy, pxToUs, usPerPx, windowAround, wholeTrace, zoomAt } from './time-scale';
import type { TimeScale, TimeWindow } from './time-scale';
import { Tooltip } from './tooltip';
import { extentOfGroup, extentOfSpan, mainSpanOf, neighbourSpan, waitAfter } from './walk';
import type { TraceModel } from './trace-model';

export interface TimelineEvents {
  /** A span was chosen, or the choice was cleared. */
  readonly onSelect?: (ref: SpanRef | undefined) => void;
  /** A range was marked (also while dragging), or cleared. */
  readonly onRange?: (range: TimeWindow | undefined) => void;
}

export interface ShownTrace {
  readonly title: string;
  readonly model: TraceModel;
}

const SNAP_PX = 6;

/**
 * The layer timeline: two canvases (picture, and what lies over it) in a host element. Draws in an animation frame,
 * and only when something changed. Gestures and keys act while the picture's canvas has the pointer or the focus.
 */
export class Timeline {
  /** The picture's canvas, focusable; `data-spans` tells how many spans it shows. */
  readonly canvas = document.createElement('canvas');
  readonly #overlayCanvas = document.createElement('canvas');
  readonly #tooltip: Tooltip;
  readonly #cleanUp: (() => void)[] = [];
  #traces: readonly ShownTrace[] = [];
  #models: readonly TraceModel[] = [];
  /** The widest window there is: with what was read ahead of the inference. */
  #bounds = wholeTrace(0);
  #inference = wholeTrace(0);
  #window = this.#bounds;
  #theme: TimelineTheme;
  #widthPx = 0;
  #heightPx = 0;
  #selected: SpanRef | undefined;
  #range: TimeWindow | undefined;
  #hit: Hit | undefined;
  /** Where the pointer hovers; not while it drags. */
  #pointer: { readonly xPx: number; readonly yPx: number } | undefined;
  #pictureDirty = true;
  #overlayDirty = true;
  #requested = 0;

  constructor(
    readonly host: HTMLElement,
    readonly events: TimelineEvents = {},
  ) {
    host.style.position = 'relative';
    for (const canvas of [this.canvas, this.#overlayCanvas]) {
      Object.assign(canvas.style, { position: 'absolute', inset: '0', width: '100%', height: '100%' });
      host.append(canvas);
    }
    this.#overlayCanvas.style.pointerEvents = 'none';
    this.canvas.style.touchAction = 'none';
    this.canvas.tabIndex = 0;
    this.#tooltip = new Tooltip(host);
    this.#theme = readTheme(host);
    this.#listen();
  }

  /** Spans of all shown traces. */
  get spanCount(): number {
    return this.#models.reduce((sum, { columns }) => sum + columns.startUs.length, 0);
  }

  get window(): TimeWindow {
    return this.#window;
  }

  /** Shows one trace, or two for comparison, and fits the view. */
  setTraces(traces: readonly ShownTrace[]): void {
    this.#traces = traces;
    this.#models = traces.map(({ model }) => model);
    const durationUs = Math.max(0, ...this.#models.map((model) => model.durationUs));
    this.#inference = wholeTrace(durationUs);
    this.#bounds = wholeTrace(durationUs, Math.min(0, ...this.#models.map(({ startUs }) => startUs)));
    this.#window = this.#inference;
    this.#hit = undefined;
    this.canvas.dataset['spans'] = String(this.spanCount);
    this.select(undefined);
    this.setRange(undefined);
    this.#redraw();
  }

  /** Shows the inference; shown already, also what was read ahead of it. */
  fit(): void {
    const { startUs, endUs: stopUs } = this.#inference;
    const isShown = this.#window.startUs === startUs && this.#window.endUs === stopUs;
    this.setWindow(isShown ? this.#bounds : this.#inference);
  }

  setWindow(window: TimeWindow): void {
    this.#window = panBy(window, 0, this.#bounds);
    // Under a resting pointer there is something else now.
    if (this.#pointer) this.#hover(this.#pointer.xPx, this.#pointer.yPx);
    this.#redraw();
  }

  /** Zooms around the middle of the view. */
  zoomBy(factor: number): void {
    const { startUs, endUs: stopUs } = this.#window;
    this.setWindow(zoomAt(this.#window, factor, (startUs + stopUs) / 2, this.#bounds));
  }

  select(ref: SpanRef | undefined, reveal = false): void {
    this.#selected = ref;
    if (ref && reveal) this.#reveal(ref);
    this.#redrawOverlay();
    this.events.onSelect?.(ref);
  }

  setRange(range: TimeWindow | undefined): void {
    this.#range = range;
    this.#redrawOverlay();
    this.events.onRange?.(range);
  }

  /** Chooses a layer (or user) of the first trace: all its spans come into view and are summed. */
  showGroup(group: number): void {
    const model = this.#models[0];
    const extent = model && extentOfGroup(model, group);
    const span = model && mainSpanOf(model, group);
    if (!extent || span === undefined) return;
    this.select({ trace: 0, span });
    this.setWindow(windowAround(extent, this.#bounds));
    this.setRange(extent);
  }

  /** Zooms to the chosen span, else to the marked range. */
  zoomToSelection(): void {
    const target = this.#selected ? this.#extent(this.#selected) : this.#range;
    if (target) this.setWindow(windowAround(target, this.#bounds));
  }

  /** Chooses the wait that follows the chosen span (else the first in view or after) and brings it into view. */
  selectNextWait(): void {
    const trace = this.#selected?.trace ?? 0;
    const model = this.#models[trace];
    const span = model && waitAfter(model, this.#selected ?? { atUs: this.#window.startUs });
    if (span !== undefined) this.select({ trace, span }, true);
  }

  /** Chooses the next or previous span of the chosen one's kind; without a choice, the first computation. */
  step(direction: 1 | -1): void {
    const from = this.#selected;
    const trace = from?.trace ?? 0;
    const model = this.#models[trace];
    const span =
      model && (from ? neighbourSpan(model, from.span, direction) : model.kinds.compute.rows[0]?.span[0]);
    if (span !== undefined) this.select({ trace, span }, true);
  }

  /** Draws at once if anything changed. @returns milliseconds of this thread that drawing took. */
  drawNow(): number {
    const startMs = performance.now();
    const frame = this.#frame();
    if (this.#pictureDirty) paint(this.canvas, frame, (context) => drawFrame(context, frame));
    if (this.#pictureDirty || this.#overlayDirty) {
      const hovered = this.#hit?.kind === 'span' ? this.#hit.ref : undefined;
      const overlay = { hovered, selected: this.#selected, range: this.#range, cursorPx: this.#pointer?.xPx };
      paint(this.#overlayCanvas, frame, (context) => drawOverlay(context, frame, overlay));
    }
    this.#pictureDirty = false;
    this.#overlayDirty = false;
    return performance.now() - startMs;
  }

  destroy(): void {
    cancelAnimationFrame(this.#requested);
    for (const undo of this.#cleanUp) undo();
    this.#tooltip.destroy();
    this.canvas.remove();
    this.#overlayCanvas.remove();
  }

  #listen(): void {
    const resized = new ResizeObserver(() => {
      this.#widthPx = this.host.clientWidth;
      this.#heightPx = this.host.clientHeight;
      this.#redraw();
    });
    resized.observe(this.host);
    const onKey = (event: KeyboardEvent): void => handleKey(event, this.#keyTarget());
    this.canvas.addEventListener('keydown', onKey);
    this.#cleanUp.push(
      () => resized.disconnect(),
      () => this.canvas.removeEventListener('keydown', onKey),
      attachGestures(this.canvas, this.#gestureTarget()),
      watchTheme(() => {
        this.#theme = readTheme(this.host);
        this.#redraw();
      }),
      // The ratio changes with page zoom (which also resizes) and when the window moves to another screen.
      watchPixelRatio(() => this.#redraw()),
    );
  }

  #scale(): TimeScale {
    const widthPx = Math.max(1, this.#widthPx - GUTTER_PX - RIGHT_PX);
    return { window: this.#window, leftPx: GUTTER_PX, widthPx };
  }

  #frame(): Frame {
    return {
      models: this.#models,
      titles: this.#traces.map(({ title }) => title),
      layout: layoutLanes(this.#models, this.#heightPx),
      scale: this.#scale(),
      theme: this.#theme,
      widthPx: this.#widthPx,
      heightPx: this.#heightPx,
      devicePixelRatio: window.devicePixelRatio,
    };
  }

  #redraw(): void {
    this.#pictureDirty = true;
    this.#request();
  }

  #redrawOverlay(): void {
    this.#overlayDirty = true;
    this.#request();
  }

  #request(): void {
    if (this.#requested !== 0) return;
    this.#requested = requestAnimationFrame(() => {
      this.#requested = 0;
      this.drawNow();
    });
  }

  #gestureTarget(): GestureTarget {
    return {
      zoomAt: (factor, xPx) => {
        this.setWindow(
          zoomAt(this.#window, factor, pxToUs(this.#scale(), Math.max(GUTTER_PX, xPx)), this.#bounds),
        );
      },
      panPx: (byPx) => {
        this.setWindow(panBy(this.#window, byPx * usPerPx(this.#scale()), this.#bounds));
      },
      hover: (xPx, yPx) => this.#hover(xPx, yPx),
      leave: () => this.#leave(),
      click: (xPx, yPx) => {
        const hit = this.#hitAt(xPx, yPx);
        if (hit?.kind !== 'span') this.setRange(undefined);
        this.select(hit?.kind === 'span' ? hit.ref : undefined);
      },
      doubleClick: (xPx, yPx) => {
        const hit = this.#hitAt(xPx, yPx);
        if (hit?.kind === 'span') this.setWindow(windowAround(this.#extent(hit.ref), this.#bounds));
      },
      range: (fromPx, toPx, yPx) => this.#dragRange(fromPx, toPx, yPx),
    };
  }

  #keyTarget(): KeyTarget {
    return {
      panShare: (share) => {
        const { startUs, endUs: stopUs } = this.#window;
        this.setWindow(panBy(this.#window, share * (stopUs - startUs), this.#bounds));
      },
      zoomCentre: (factor) => this.zoomBy(factor),
      fit: () => this.fit(),
      step: (direction) => this.step(direction),
      nextWait: () => this.selectNextWait(),
      zoomToSelection: () => this.zoomToSelection(),
      clear: () => {
        this.select(undefined);
        this.setRange(undefined);
      },
    };
  }

  #hitAt(xPx: number, yPx: number): Hit | undefined {
    return hitTest(this.#models, layoutLanes(this.#models, this.#heightPx), this.#scale(), xPx, yPx);
  }

  #hover(xPx: number, yPx: number): void {
    this.#hit = this.#hitAt(xPx, yPx);
    this.#pointer = { xPx, yPx };
    const text = this.#hit && describeHit(this.#models, this.#hit, this.#theme);
    if (text) this.#tooltip.show(text, xPx, yPx);
    else this.#tooltip.hide();
    this.canvas.style.cursor = this.#hit?.kind === 'span' ? 'pointer' : 'default';
    this.#redrawOverlay();
  }

  #leave(): void {
    this.#hit = undefined;
    this.#pointer = undefined;
    this.#tooltip.hide();
    this.#redrawOverlay();
  }

  #dragRange(fromPx: number, toPx: number, yPx: number): void {
    this.#leave();
    const scale = this.#scale();
    const box = boxAt(layoutLanes(this.#models, this.#heightPx), yPx);
    const lanes = this.#models.flatMap((model, trace) => {
      const lane = box?.trace === trace ? laneOf(model, box) : undefined;
      return lane ? [lane] : box ? [] : model.lanes;
    });
    const rows = lanes.flatMap((lane) => lane.rows);
    const edge = (px: number): number => {
      return Math.max(0, snapToEdge(rows, pxToUs(scale, px), SNAP_PX * usPerPx(scale)));
    };
    const [a, b] = [edge(fromPx), edge(toPx)];
    this.setRange(a === b ? undefined : { startUs: Math.min(a, b), endUs: Math.max(a, b) });
  }

  #extent({ trace, span }: SpanRef): TimeWindow {
    return extentOfSpan(this.#models[trace]!, span);
  }

  #reveal(ref: SpanRef): void {
    const extent = this.#extent(ref);
    const { startUs, endUs: stopUs } = this.#window;
    const visible = extent.startUs >= startUs && extent.endUs <= stopUs;
    const widePx = (extent.endUs - extent.startUs) / usPerPx(this.#scale());
    if (visible && widePx >= 3) return;
    if (widePx < 3) this.setWindow(windowAround(extent, this.#bounds));
    else
      this.setWindow(
        panBy(this.#window, (extent.startUs + extent.endUs - startUs - stopUs) / 2, this.#bounds),
      );
  }
}
