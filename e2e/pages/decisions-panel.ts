import { expect, type Locator, type Page } from '@playwright/test';

export class DecisionsPanel {
  readonly root: Locator;
  readonly installExample: Locator;
  readonly start: Locator;
  readonly stop: Locator;
  readonly state: Locator;
  readonly agent: Locator;
  readonly users: Locator;
  readonly period: Locator;
  readonly threshold: Locator;
  readonly explorationCap: Locator;
  readonly pauseLearning: Locator;
  readonly variants: Locator;
  /** The feed, newest first. */
  readonly rows: Locator;
  readonly inspector: Locator;

  constructor(page: Page) {
    this.root = page.getByTestId('panel-decisions');
    this.installExample = this.root.getByRole('button', { name: /install the mobilenetv1 example/i });
    this.start = this.root.getByRole('button', { name: /^start/i });
    this.stop = this.root.getByRole('button', { name: 'Stop', exact: true });
    this.state = this.root.getByTestId('deployment-state');
    this.agent = this.root.getByLabel('Agent', { exact: true });
    this.users = this.root.getByLabel('Users', { exact: true });
    this.period = this.root.getByLabel(/^period/i);
    this.threshold = this.root.getByLabel(/^threshold/i);
    this.explorationCap = this.root.getByLabel(/^exploration cap/i);
    this.pauseLearning = this.root.getByRole('button', { name: /^(pause|resume) learning$/i });
    this.variants = this.root.getByTestId('variant-row');
    this.rows = this.root.getByTestId('decision-row');
    this.inspector = this.root.getByTestId('decision-inspector');
  }

  /** A figure of user 0 of the newest decisions that have ended, newest first. */
  async latest(
    figure: 'tier' | 'variant' | 'answered-by',
    count: number,
  ): Promise<readonly (string | null)[]> {
    const ended = this.root.locator('[data-testid="decision-row"][data-answered-by]');
    const values = await ended.evaluateAll<(string | null)[], string>(
      (rows, name) =>
        rows.map((row) => (row as { getAttribute: (name: string) => string | null }).getAttribute(name)),
      `data-${figure}`,
    );
    return values.slice(0, count);
  }

  /** Starts the deployment and waits for its first decision. */
  async begin(timeoutMs = 60_000): Promise<void> {
    await this.start.click();
    await expect(this.state).toHaveAttribute('data-state', 'running');
    await expect(this.rows.first()).toBeVisible({ timeout: timeoutMs });
  }

  /** Sets a field of the deployment; Enter sends it. */
  async set(field: Locator, value: string): Promise<void> {
    await field.fill(value);
    await field.press('Enter');
  }

  /** One alternative of the matrix; users count from 0. */
  cell(user: number, tier: string, variant: string): Locator {
    return this.root.locator(
      `[data-testid="choice-cell"][data-user="${user}"][data-tier="${tier}"][data-variant="${variant}"]`,
    );
  }

  /** What is chosen for a user now. */
  present(user: number): Locator {
    return this.root.locator(`[data-testid="present-choice"][data-user="${user}"]`);
  }

  node(name: string): Locator {
    return this.root.locator(`[data-testid="node-card"][data-name="${name}"]`);
  }

  /** Opens the newest decision and leads to its requests in the Timeline. */
  async showInTimeline(): Promise<void> {
    await this.rows.first().click();
    await this.inspector.getByRole('button', { name: 'Show in Timeline' }).click();
  }
}
