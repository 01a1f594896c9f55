import { expect, type Locator, type Page } from '@playwright/test';

export type BoxState = 'connecting' | 'online' | 'offline' | 'refused';

export class FleetPanel {
  readonly root: Locator;
  readonly summary: Locator;
  readonly form: Locator;
  readonly inspector: Locator;
  readonly foot: Locator;
  readonly pushLines: Locator;
  /** In the title bar: which box all panels show. */
  readonly menu: Locator;

  constructor(readonly page: Page) {
    this.root = page.getByTestId('panel-fleet');
    this.summary = this.root.getByTestId('fleet-summary');
    this.form = this.root.getByRole('form', { name: 'Add a box' });
    this.inspector = this.root.getByTestId('box-inspector');
    this.foot = this.root.getByTestId('fleet-foot');
    this.pushLines = this.root.getByTestId('push-line');
    this.menu = page.getByTestId('box-menu');
  }

  row(name: string, state?: BoxState): Locator {
    const mark = state === undefined ? '' : `[data-state="${state}"]`;
    return this.root.locator(`[data-testid="box-row"][data-box="${name}"]${mark}`);
  }

  /** Adds a box by the address that `sluice host` printed, and waits until it is online. */
  async add(url: string, name: string): Promise<void> {
    await this.root.getByRole('button', { name: 'Add a box' }).click();
    await this.form.getByLabel('Address').fill(url);
    await this.form.getByLabel('Name').fill(name);
    await this.form.getByRole('button', { name: 'Add', exact: true }).click();
    await expect(this.row(name, 'online')).toBeVisible({ timeout: 30_000 });
  }

  /** Shows a box in all panels; by the menu of the title bar. */
  async switchTo(name: string | RegExp): Promise<void> {
    await this.menu.click();
    await this.page.getByRole('menuitemradio', { name }).click();
  }

  async choose(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.root.getByRole('checkbox', { name: `Choose ${name}` }).check();
  }
}
