import { expect, type Locator, type Page } from '@playwright/test';

export class EndpointsPanel {
  readonly root: Locator;
  readonly name: Locator;
  readonly tier: Locator;
  readonly url: Locator;
  readonly token: Locator;
  readonly addButton: Locator;
  readonly inspector: Locator;
  readonly test: Locator;
  readonly tokenState: Locator;
  readonly keychainNote: Locator;
  readonly removed: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-endpoints');
    const form = this.root.getByRole('form', { name: 'Add an endpoint' });
    this.name = form.getByLabel('Name', { exact: true });
    this.tier = form.getByLabel('Tier', { exact: true });
    this.url = form.getByLabel('URL', { exact: true });
    this.token = form.getByLabel('Token', { exact: true });
    this.addButton = form.getByRole('button', { name: 'Add', exact: true });
    this.inspector = this.root.getByTestId('endpoint-inspector');
    this.test = this.inspector.getByTestId('endpoint-test');
    this.tokenState = this.inspector.getByTestId('token-state');
    this.keychainNote = this.root.getByTestId('keychain-note');
    this.removed = this.root.getByTestId('removed-endpoint');
  }

  row(name?: string): Locator {
    const rows = this.root.getByTestId('endpoint-row');
    return name === undefined ? rows : rows.and(this.root.locator(`[data-name="${name}"]`));
  }

  /** Adds an endpoint by the form and waits for its row. */
  async add(name: string, tier: 'edge' | 'cloud', url: string, token?: string): Promise<void> {
    await this.name.fill(name);
    await this.tier.selectOption(tier);
    await this.url.fill(url);
    if (token !== undefined) await this.token.fill(token);
    await this.addButton.click();
    await expect(this.row(name)).toBeVisible();
  }

  /** Opens an endpoint, tests it and waits for the verdict. */
  async runTest(name: string, timeoutMs = 30_000): Promise<void> {
    await this.row(name).click();
    await this.inspector.getByRole('button', { name: 'Test', exact: true }).click();
    await expect(this.test).toBeVisible({ timeout: timeoutMs });
  }

  /** Takes an endpoint off the list; it can be undone. */
  async remove(name: string): Promise<void> {
    await this.row(name).click();
    await this.inspector.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(this.row(name)).toHaveCount(0);
  }
}
