import { expect, type Locator, type Page } from '@playwright/test';
import { choose } from './choose';

export class RunPanel {
  readonly root: Locator;
  readonly model: Locator;
  readonly input: Locator;
  readonly mode: Locator;
  readonly budget: Locator;
  readonly runOnce: Locator;
  readonly runContinuously: Locator;
  readonly stop: Locator;
  readonly result: Locator;
  readonly lines: Locator;
  readonly state: Locator;
  readonly latency: Locator;
  readonly curve: Locator;
  readonly failure: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-run');
    this.model = this.root.getByLabel('Model', { exact: true });
    this.input = this.root.getByLabel('Input', { exact: true });
    this.mode = this.root.getByLabel('Mode', { exact: true });
    this.budget = this.root.getByRole('slider', { name: /budget/i });
    this.runOnce = this.root.getByRole('button', { name: /run once/i });
    this.runContinuously = this.root.getByRole('button', { name: /run continuously/i });
    this.stop = this.root.getByRole('button', { name: /^stop/i });
    this.result = this.root.getByTestId('run-result');
    this.lines = this.root.getByTestId('run-result-line');
    this.state = this.root.getByTestId('run-state');
    this.latency = this.root.getByTestId('run-latency');
    this.curve = this.root.getByTestId('run-curve');
    this.failure = this.root.getByRole('alert');
  }

  chooseModel(choice: RegExp): Promise<void> {
    return choose(this.model, choice);
  }

  chooseInput(choice: RegExp): Promise<void> {
    return choose(this.input, choice);
  }

  chooseMode(mode: 'resident' | 'sequential' | 'sync' | 'async'): Promise<void> {
    return choose(this.mode, new RegExp(`^${mode.slice(0, 3)}`, 'i'));
  }

  /** Runs once and waits for the answer. */
  async answer(timeoutMs = 60_000): Promise<void> {
    const before = (await this.state.count()) > 0 ? await this.state.getAttribute('data-run') : null;
    await this.runOnce.click();
    if (before !== null) await expect(this.state).not.toHaveAttribute('data-run', before);
    await expect(this.state).toHaveAttribute('data-state', 'done', { timeout: timeoutMs });
    await expect(this.result).toBeVisible();
  }
}
