import { expect, type Locator, type Page } from '@playwright/test';

export class ModelsPanel {
  readonly root: Locator;
  readonly importFile: Locator;
  readonly importExample: Locator;
  readonly inspector: Locator;
  readonly jobs: Locator;
  readonly path: Locator;
  readonly importPath: Locator;
  readonly removed: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-models');
    this.importFile = this.root.getByRole('button', { name: /^import(…|\.\.\.)?$/i });
    this.importExample = this.root.getByRole('button', { name: /import example/i }).first();
    this.inspector = this.root.getByTestId('model-inspector');
    this.jobs = this.root.getByTestId('job-row');
    this.path = this.root.getByRole('textbox', { name: /path/i });
    this.importPath = this.root.getByRole('button', { name: 'Import path' });
    this.removed = this.root.getByTestId('removed-strip');
  }

  /** Imports a file of the engine's machine by its path and waits for it to be ready. */
  async importReady(path: string, timeoutMs = 60_000): Promise<void> {
    const before = await this.row().count();
    await this.path.fill(path);
    await this.importPath.click();
    await expect(this.row()).toHaveCount(before + 1, { timeout: timeoutMs });
    await expect(this.row().last()).toHaveAttribute('data-state', 'ready');
  }

  /** Imports the text-reading example: two networks and the pair of them. */
  async importExampleReady(timeoutMs = 120_000): Promise<void> {
    await this.importExample.click();
    await expect(this.row().filter({ hasText: 'reads text' }).first()).toHaveAttribute(
      'data-state',
      'ready',
      {
        timeout: timeoutMs,
      },
    );
  }

  row(model?: string): Locator {
    const rows = this.root.getByTestId('model-row');
    return model === undefined ? rows : rows.and(this.root.locator(`[data-model="${model}"]`));
  }
}
