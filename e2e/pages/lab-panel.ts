import { expect, type Locator, type Page } from '@playwright/test';

export type LabView = 'Runs' | 'Searches' | 'Board' | 'Datasets' | 'Models' | 'Queue';

export class LabPanel {
  readonly root: Locator;
  readonly failed: Locator;
  readonly startExample: Locator;
  readonly table: Locator;
  readonly rows: Locator;
  readonly filter: Locator;
  readonly runPage: Locator;
  readonly runState: Locator;
  readonly log: Locator;
  readonly fork: Locator;
  readonly forkForm: Locator;
  readonly submit: Locator;
  readonly submitForm: Locator;
  readonly back: Locator;
  readonly compare: Locator;
  readonly differences: Locator;
  readonly competitions: Locator;
  readonly board: Locator;
  readonly boardRows: Locator;
  readonly submissions: Locator;

  constructor(readonly page: Page) {
    this.root = page.getByTestId('panel-lab');
    this.failed = this.root.getByTestId('lab-failed');
    this.startExample = this.root.getByRole('button', { name: 'Run the example' });
    this.table = this.root.getByTestId('run-table');
    this.rows = this.root.getByTestId('run-row');
    this.filter = this.root.getByRole('searchbox', { name: 'Filter' });
    this.runPage = this.root.getByTestId('run-page');
    this.runState = this.runPage.getByTestId('run-state');
    this.log = this.runPage.getByTestId('run-log');
    this.fork = this.runPage.getByRole('button', { name: 'Fork', exact: true }).first();
    this.forkForm = this.runPage.getByTestId('fork-form');
    this.submit = this.runPage.getByRole('button', { name: 'Submit', exact: true }).first();
    this.submitForm = this.runPage.getByTestId('submit-form');
    this.back = this.runPage.getByRole('button', { name: /Runs$/ });
    this.compare = this.root.getByTestId('compare');
    this.differences = this.compare.getByTestId('differences');
    this.competitions = this.root.getByTestId('competition-item');
    this.board = this.root.getByTestId('lab-board');
    this.boardRows = this.root.getByTestId('board-row');
    this.submissions = this.root.getByTestId('submission');
  }

  async view(name: LabView): Promise<void> {
    await this.root.getByRole('tab', { name, exact: true }).click();
  }

  chart(metric: string): Locator {
    return this.runPage.locator(`[data-testid=metric-chart][data-metric="${metric}"]`);
  }

  /** Of the newest point that the chart draws; 0 before the first. */
  async lastStep(metric: string): Promise<number> {
    const text = (await this.chart(metric).count()) === 0 ? '' : await this.chart(metric).innerText();
    return Number(/at step (\d+)/.exec(text)?.[1] ?? 0);
  }

  async runEnds(state: string, timeoutMs = 120_000): Promise<void> {
    await expect(this.runState).toHaveAttribute('data-state', state, { timeout: timeoutMs });
  }
}
