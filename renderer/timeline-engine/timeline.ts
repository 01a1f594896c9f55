import { canvasIn, ChartCanvas } from './chart-canvas';
import { describeHit } from './describe-hit';
import { drawFrame } from './draw-frame';
import type { Frame } from './draw-frame';
import { drawOverlay } from './draw-overlay';
import type { GestureTarget } from './gestures';
import { boxAt, hitTest, snapToEdge } from './hit-test';
import type { Hit, SpanRef } from './hit-test';
import type { KeyTarget } from './keys';
import { GUTTER_PX, RIGHT_PX, laneOf, layoutLanes } from './lane-layout';
import { paint } from './surface';
import { readTheme } from './theme';
import type { TimelineTheme } from './theme';
import { pxToUs, usPerPx } from './time-scale';
import type { TimeScale, TimeWindow } from './time-scale';
import { TimeView } from './time-view';
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
/** A span narrower than this is not seen. */
const LEAST_SPAN_PX = 3;

/**
 * The layer timeline: two canvases (picture, and what lies over it) in a host element. Draws in an animation frame,
 * and only when something changed. Gestures and keys act while the picture's canvas has the pointer or the focus.
 */
export class Timeline {
  /** The picture's canvas, focusable; `data-spans` tells how many spans it shows. */
  readonly canvas: HTMLCanvasElement;
  readonly #base: ChartCanvas;
  readonly #overlayCanvas: HTMLCanvasElement;
  readonly #tooltip: Tooltip;
  readonly #view = new TimeView();
  #traces: readonly ShownTrace[] = [];
  #models: readonly TraceModel[] = [];
  #theme: TimelineTheme;
  #selected: SpanRef | undefined;
  #range: TimeWindow | undefined;
  #hit: Hit | undefined;
  /** Where the pointer hovers; not while it drags. */
  #pointer: { readonly xPx: number; readonly yPx: number } | undefined;
  #pictureDirty = true;
  #overlayDirty = true;

  constructor(
    readonly host: HTMLElement,
    readonly events: TimelineEvents = {},
  ) {
    this.#base = new ChartCanvas(host, {
      gestures: this.#gestureTarget(),
      keys: this.#keyTarget(),
      onResize: () => this.#redraw(),
      onTheme: () => {
        this.#theme = readTheme(host);
        this.#redraw();
      },
      draw: () => this.drawNow(),
    });
    this.canvas = this.#base.canvas;
    this.#overlayCanvas = canvasIn(host);
    this.#overlayCanvas.style.pointerEvents = 'none';
    this.#tooltip = new Tooltip(host);
    this.#theme = readTheme(host);
  }

  /** Spans of all shown traces. */
  get spanCount(): number {
    return this.#models.reduce((sum, { columns }) => sum + columns.startUs.length, 0);
  }

  get window(): TimeWindow {
    return this.#view.window;
  }

  /** Shows one trace, or two for comparison, and fits the view. */
  setTraces(traces: readonly ShownTrace[]): void {
    this.#traces = traces;
    this.#models = traces.map(({ model }) => model);
    const durationUs = Math.max(0, ...this.#models.map((model) => model.durationUs));
    this.#view.begin(durationUs, Math.min(0, ...this.#models.map(({ startUs }) => startUs)));
    this.#hit = undefined;
    this.canvas.dataset['spans'] = String(this.spanCount);
    this.select(undefined);
    this.setRange(undefined);
    this.#redraw();
  }

  /** Shows the inference; shown already, also what was read ahead of it. */
  fit(): void {
    this.setWindow(this.#view.fitted());
  }

  setWindow(window: TimeWindow): void {
    this.#view.set(window);
    // Under a resting pointer there is something else now.
    if (this.#pointer) this.#hover(this.#pointer.xPx, this.#pointer.yPx);
    this.#redraw();
  }

  /** Zooms around the middle of the view. */
  zoomBy(factor: number): void {
    this.setWindow(this.#view.zoomed(factor));
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
    this.setWindow(this.#view.around(extent));
    this.setRange(extent);
  }

  /** Zooms to the chosen span, else to the marked range. */
  zoomToSelection(): void {
    const target = this.#selected ? this.#extent(this.#selected) : this.#range;
    if (target) this.setWindow(this.#view.around(target));
  }

  /** Chooses the wait that follows the chosen span (else the first in view or after) and brings it into view. */
  selectNextWait(): void {
    const trace = this.#selected?.trace ?? 0;
    const model = this.#models[trace];
    const span = model && waitAfter(model, this.#selected ?? { atUs: this.#view.window.startUs });
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
    this.#base.destroy();
    this.#tooltip.destroy();
    this.#overlayCanvas.remove();
  }

  #scale(): TimeScale {
    const widthPx = Math.max(1, this.#base.widthPx - GUTTER_PX - RIGHT_PX);
    return { window: this.#view.window, leftPx: GUTTER_PX, widthPx };
  }

  #frame(): Frame {
    return {
      models: this.#models,
      titles: this.#traces.map(({ title }) => title),
      layout: layoutLanes(this.#models, this.#base.heightPx),
      scale: this.#scale(),
      theme: this.#theme,
      widthPx: this.#base.widthPx,
      heightPx: this.#base.heightPx,
      devicePixelRatio: window.devicePixelRatio,
    };
  }

  #redraw(): void {
    this.#pictureDirty = true;
    this.#base.request();
  }

  #redrawOverlay(): void {
    this.#overlayDirty = true;
    this.#base.request();
  }

  #gestureTarget(): GestureTarget {
    return {
      zoomAt: (factor, xPx) =>
        this.setWindow(this.#view.zoomed(factor, pxToUs(this.#scale(), Math.max(GUTTER_PX, xPx)))),
      panPx: (byPx) => this.setWindow(this.#view.panned(byPx * usPerPx(this.#scale()))),
      hover: (xPx, yPx) => this.#hover(xPx, yPx),
      leave: () => this.#leave(),
      click: (xPx, yPx) => {
        const hit = this.#hitAt(xPx, yPx);
        if (hit?.kind !== 'span') this.setRange(undefined);
        this.select(hit?.kind === 'span' ? hit.ref : undefined);
      },
      doubleClick: (xPx, yPx) => {
        const hit = this.#hitAt(xPx, yPx);
        if (hit?.kind === 'span') this.setWindow(this.#view.around(this.#extent(hit.ref)));
      },
      range: (fromPx, toPx, yPx) => this.#dragRange(fromPx, toPx, yPx),
    };
  }

  #keyTarget(): KeyTarget {
    return {
      panShare: (share) => {
        const { startUs, endUs: stopUs } = this.#view.window;
        this.setWindow(this.#view.panned(share * (stopUs - startUs)));
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
    return hitTest(this.#models, layoutLanes(this.#models, this.#base.heightPx), this.#scale(), xPx, yPx);
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
    const box = boxAt(layoutLanes(this.#models, this.#base.heightPx), yPx);
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
    const window = this.#view.revealing(this.#extent(ref), LEAST_SPAN_PX * usPerPx(this.#scale()));
    if (window) this.setWindow(window);
  }
}
