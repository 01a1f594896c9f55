import type { RoundRecord } from '../../core/contract';
import { ChartCanvas } from './chart-canvas';
import { drawRounds, readRoundTheme, ROUND_GUTTER_PX, ROUND_RIGHT_PX } from './draw-rounds';
import type { RoundFrame, RoundTheme } from './draw-rounds';
import type { GestureTarget } from './gestures';
import type { KeyTarget } from './keys';
import { acceptanceOver, boundsOf, endUs, nextSwap, roundAt, startUs } from './rounds';
import { paint } from './surface';
import { clampWindow, panBy, pxToUs, usPerPx, usToPx, windowAround, zoomAt } from './time-scale';
import type { TimeScale, TimeWindow } from './time-scale';
import { Tooltip } from './tooltip';
import type { TooltipText } from './tooltip';

export interface RoundChartOptions {
  /** Names of the lanes. */
  readonly lanes: RoundFrame['lanes'];
  /** What is told of a round beside the pointer. */
  readonly describe: (round: RoundRecord) => Omit<TooltipText, 'color'>;
  /** A round was chosen by key or click, or the choice was cleared. */
  readonly onSelect?: (round: RoundRecord | undefined) => void;
}

/** The lane of tokens never has a lower top: a draft of one token is not a tall bar. */
const LEAST_TOP_TOKENS = 4;

/**
 * Rounds of a reply on a time axis: draft, swap and verification as blocks, drafted and accepted tokens below, with
 * acceptance as a line. Draws in an animation frame, and only when something changed.
 */
export class RoundChart {
  /** Focusable; `data-rounds` tells how many rounds it shows. */
  readonly canvas: HTMLCanvasElement;
  readonly #base: ChartCanvas;
  readonly #tooltip: Tooltip;
  #replyId: string | undefined;
  #rounds: readonly RoundRecord[] = [];
  #acceptance: Float32Array = new Float32Array(0);
  #bounds: TimeWindow = boundsOf([], false);
  #window = this.#bounds;
  /** Zoomed in by hand; else the whole reply stays in view as it grows. */
  #isZoomed = false;
  #theme: RoundTheme;
  #hovered: number | undefined;
  #selected: number | undefined;

  constructor(
    readonly host: HTMLElement,
    readonly options: RoundChartOptions,
  ) {
    this.#base = new ChartCanvas(host, {
      gestures: this.#gestures(),
      keys: this.#keys(),
      onResize: () => this.#base.request(),
      onTheme: () => {
        this.#theme = readRoundTheme(host);
        this.#base.request();
      },
      draw: () => this.#draw(),
    });
    this.canvas = this.#base.canvas;
    this.canvas.addEventListener('blur', () => this.#leave());
    this.#tooltip = new Tooltip(host);
    this.#theme = readRoundTheme(host);
  }

  get window(): TimeWindow {
    return this.#window;
  }

  /** Shows a reply's rounds in order of their start. More of the reply shown already extend the picture. */
  setRounds(replyId: string | undefined, rounds: readonly RoundRecord[], isRunning: boolean): void {
    const isSameReply = replyId === this.#replyId;
    this.#replyId = replyId;
    const atEnd = this.#window.endUs >= this.#bounds.endUs;
    this.#rounds = rounds;
    this.#acceptance = acceptanceOver(rounds);
    this.#bounds = boundsOf(rounds, isRunning);
    this.canvas.dataset['rounds'] = String(rounds.length);
    if (!isSameReply) {
      this.#isZoomed = false;
      this.#hovered = undefined;
      this.select(undefined);
    }
    if (!this.#isZoomed) this.#window = this.#bounds;
    // Zoomed in on the newest rounds: newer ones come into view.
    else if (atEnd) this.#window = panBy(this.#window, this.#bounds.endUs - this.#window.endUs, this.#bounds);
    this.#base.request();
  }

  setWindow(window: TimeWindow): void {
    this.#window = clampWindow(window, this.#bounds);
    // What it tells of is somewhere else now.
    this.#tooltip.hide();
    this.#isZoomed = this.#window.endUs - this.#window.startUs < this.#bounds.endUs - this.#bounds.startUs;
    this.#base.request();
  }

  select(index: number | undefined): void {
    this.#selected = index;
    const round = index === undefined ? undefined : this.#rounds[index];
    if (round !== undefined) this.#reveal(round);
    this.#base.request();
    this.options.onSelect?.(round);
  }

  destroy(): void {
    this.#base.destroy();
    this.#tooltip.destroy();
  }

  #reveal(round: RoundRecord): void {
    const [beginUs, stopUs] = [startUs(round), endUs(round)];
    if (beginUs >= this.#window.startUs && stopUs <= this.#window.endUs) return;
    const lengthUs = this.#window.endUs - this.#window.startUs;
    const target = { startUs: beginUs - lengthUs / 4, endUs: beginUs + (3 * lengthUs) / 4 };
    this.setWindow(target);
  }

  #scale(): TimeScale {
    const widthPx = Math.max(1, this.#base.widthPx - ROUND_GUTTER_PX - ROUND_RIGHT_PX);
    return { window: this.#window, leftPx: ROUND_GUTTER_PX, widthPx };
  }

  #frame(): RoundFrame {
    const most = this.#rounds.reduce((top, { drafted }) => Math.max(top, drafted), LEAST_TOP_TOKENS);
    return {
      widthPx: this.#base.widthPx,
      heightPx: this.#base.heightPx,
      devicePixelRatio: window.devicePixelRatio,
      scale: this.#scale(),
      theme: this.#theme,
      rounds: this.#rounds,
      acceptance: this.#acceptance,
      mostTokens: most,
      hovered: this.#hovered,
      selected: this.#selected,
      lanes: this.options.lanes,
    };
  }

  #draw(): void {
    const frame = this.#frame();
    paint(this.canvas, frame, (context) => drawRounds(context, frame));
  }

  #hover(xPx: number, yPx: number): void {
    const scale = this.#scale();
    const isInside = xPx >= scale.leftPx && xPx <= scale.leftPx + scale.widthPx;
    const index = isInside ? roundAt(this.#rounds, pxToUs(scale, xPx)) : undefined;
    const round = index === undefined ? undefined : this.#rounds[index];
    if (round === undefined) this.#tooltip.hide();
    else this.#tooltip.show({ ...this.options.describe(round), color: this.#theme.draft }, xPx, yPx);
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#base.request();
  }

  #leave(): void {
    this.#tooltip.hide();
    if (this.#hovered === undefined) return;
    this.#hovered = undefined;
    this.#base.request();
  }

  #zoom(factor: number, atUs: number): void {
    this.setWindow(zoomAt(this.#window, factor, atUs, this.#bounds));
  }

  #gestures(): GestureTarget {
    return {
      zoomAt: (factor, xPx) => this.#zoom(factor, pxToUs(this.#scale(), xPx)),
      panPx: (byPx) => this.setWindow(panBy(this.#window, byPx * usPerPx(this.#scale()), this.#bounds)),
      hover: (xPx, yPx) => this.#hover(xPx, yPx),
      leave: () => this.#leave(),
      click: (xPx) => this.select(roundAt(this.#rounds, pxToUs(this.#scale(), xPx))),
      doubleClick: () => this.setWindow(this.#bounds),
      range: (fromPx, toPx, _yPx, done) => {
        if (!done || Math.abs(fromPx - toPx) < 4) return;
        const [a, b] = [fromPx, toPx].map((px) => pxToUs(this.#scale(), px)) as [number, number];
        this.setWindow({ startUs: Math.min(a, b), endUs: Math.max(a, b) });
      },
    };
  }

  #keys(): KeyTarget {
    const lengthUs = (): number => this.#window.endUs - this.#window.startUs;
    const choose = (index: number | undefined): void => {
      if (index === undefined || this.#rounds.length === 0) return;
      this.select(Math.min(this.#rounds.length - 1, Math.max(0, index)));
      this.#tellSelected();
    };
    return {
      panShare: (share) => this.setWindow(panBy(this.#window, share * lengthUs(), this.#bounds)),
      zoomCentre: (factor) => this.#zoom(factor, (this.#window.startUs + this.#window.endUs) / 2),
      fit: () => this.setWindow(this.#bounds),
      step: (direction) =>
        choose(this.#selected === undefined ? this.#rounds.length - 1 : this.#selected + direction),
      nextWait: () => choose(nextSwap(this.#rounds, (this.#selected ?? -1) + 1)),
      zoomToSelection: () => {
        const round = this.#selected === undefined ? undefined : this.#rounds[this.#selected];
        if (round !== undefined)
          this.setWindow(windowAround({ startUs: startUs(round), endUs: endUs(round) }, this.#bounds));
      },
      clear: () => {
        this.#tooltip.hide();
        this.select(undefined);
      },
    };
  }

  /** By key there is no pointer for the figures to stand beside: they stand beside the round. */
  #tellSelected(): void {
    const round = this.#selected === undefined ? undefined : this.#rounds[this.#selected];
    if (round === undefined) return;
    const text = { ...this.options.describe(round), color: this.#theme.draft };
    this.#tooltip.show(text, usToPx(this.#scale(), endUs(round)), 0);
  }
}
