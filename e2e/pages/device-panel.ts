import { type Locator, type Page } from '@playwright/test';

export class DevicePanel {
  readonly root: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-device');
  }

  figure(series: string): Locator {
    return this.root
      .getByTestId('device-figure')
      .and(this.root.locator(`[data-series="${series}"]`))
      .first();
  }
}
