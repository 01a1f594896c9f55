import { type Locator, type Page } from '@playwright/test';

export class TimelinePanel {
  readonly root: Locator;
  readonly canvas: Locator;
  readonly sums: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-timeline');
    this.canvas = this.root.getByTestId('timeline-canvas');
    this.sums = this.root.getByTestId('timeline-sums');
  }

  /** How many spans the timeline draws, as its accessible name says; thousands are set apart by thin spaces. */
  async spans(): Promise<number> {
    const name = (await this.canvas.getAttribute('aria-label')) ?? '';
    return Number(/(\d[\d\s]*) spans/.exec(name)?.[1]?.replace(/\s/g, '') ?? 0);
  }
}
