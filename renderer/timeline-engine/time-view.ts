import { panBy, windowAround, wholeTrace, zoomAt } from './time-scale';
import type { TimeWindow } from './time-scale';

/** The part of the traces that is in view, within what there is to see. */
export class TimeView {
  /** The widest window there is: with what was read ahead of the inference. */
  #bounds = wholeTrace(0);
  #inference = wholeTrace(0);
  #window = this.#bounds;

  get window(): TimeWindow {
    return this.#window;
  }

  /** Of other traces, with the inference in view. @param startUs at most 0: before it lies what was read ahead. */
  begin(durationUs: number, startUs: number): void {
    this.#inference = wholeTrace(durationUs);
    this.#bounds = wholeTrace(durationUs, startUs);
    this.#window = this.#inference;
  }

  set(window: TimeWindow): void {
    this.#window = panBy(window, 0, this.#bounds);
  }

  /** The inference; where it is in view already, also what was read ahead of it. */
  fitted(): TimeWindow {
    const { startUs, endUs: stopUs } = this.#inference;
    const isShown = this.#window.startUs === startUs && this.#window.endUs === stopUs;
    return isShown ? this.#bounds : this.#inference;
  }

  /** Around a time, or the middle. @param factor 2: see half as much. */
  zoomed(factor: number, atUs = (this.#window.startUs + this.#window.endUs) / 2): TimeWindow {
    return zoomAt(this.#window, factor, atUs, this.#bounds);
  }

  panned(byUs: number): TimeWindow {
    return panBy(this.#window, byUs, this.#bounds);
  }

  around(extent: TimeWindow): TimeWindow {
    return windowAround(extent, this.#bounds);
  }

  /**
   * Where an extent is seen, and wide enough to be.
   * @param leastUs the least that can be seen of the present window. @returns undefined when it is seen already.
   */
  revealing(extent: TimeWindow, leastUs: number): TimeWindow | undefined {
    const { startUs, endUs: stopUs } = this.#window;
    if (extent.endUs - extent.startUs < leastUs) return this.around(extent);
    if (extent.startUs >= startUs && extent.endUs <= stopUs) return undefined;
    return this.panned((extent.startUs + extent.endUs - startUs - stopUs) / 2);
  }
}
