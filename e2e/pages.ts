import { expect, type Locator, type Page } from '@playwright/test';

/**
 * How the tests find things in the console. This file is the agreement between the console and its tests: roles and
 * accessible names first, a `data-testid` where a role says too little, and `data-*` attributes where a test must
 * read a state that the screen shows by colour or shape.
 *
 * | test id | element | attributes |
 * |---|---|---|
 * | `panel-run`, `panel-timeline`, `panel-decisions`, `panel-endpoints`, `panel-models`, `panel-device` | root of a panel, in the document only while chosen or hidden when not | |
 * | `status-strip` | the strip at the bottom | |
 * | `budget` | the byte budget in the frame | |
 * | `engine-status` | "engine ok" and its other states | `data-state`: `EngineStatus['state']` |
 * | `models-list` | table or list of the library | |
 * | `model-row` | one model of it | `data-model`: its name, `data-state`: `ready`, `stale`, `broken` |
 * | `model-inspector` | layers, bytes, largest layer of the chosen model | |
 * | `job-row` | one import, profile or verification | `data-state`: `Job['state']` |
 * | `run-result` | the answer | `data-kind`: `RunResult['kind']` |
 * | `run-result-line` | one recognised line, its text as text content | |
 * | `run-state` | state of the latest run | `data-state`: `RunRecord['state']`, `data-run`: its id |
 * | `run-latency` | latest latency with its unit | |
 * | `run-curve` | the memory-delay curve | |
 * | `timeline-canvas` | the canvas of the lanes | its accessible name says "N spans" |
 * | `timeline-sums` | sums over the selected range | |
 * | `device-figure` | one live figure | `data-series`: a `TelemetrySeries` |
 * | `deployment-state` | whether decisions are being made | `data-state`: `OffloadState['state']` |
 * | `decision-row` | one decision of the feed, newest first | `data-decision`: its id; of user 0: `data-tier`, `data-variant`, `data-answered-by` |
 * | `choice-cell` | one alternative of the matrix | `data-user` (from 0), `data-tier`, `data-variant`, `data-state`: `chosen`, `barred`, `free`, `pinned` |
 * | `present-choice` | what is chosen for a user now | `data-user`, `data-tier`, `data-variant` |
 * | `node-card` | this device or an endpoint on the Decisions panel | `data-name`, `data-concern`: `failure`, `degraded`, `none` |
 * | `belief-row` | one row of the table of beliefs | `data-user`, `data-tier`, `data-variant` |
 * | `variant-row` | one variant of the deployment | `data-variant` |
 * | `decision-inspector` | explains the chosen decision | |
 * | `request-row` | one user's request in the Timeline | `data-user` |
 * | `endpoint-row` | one endpoint | `data-name`, `data-tier`, `data-state`: `EndpointHealth['state']` |
 * | `endpoint-inspector` | the chosen endpoint | |
 * | `endpoint-test` | its last test | `data-ok` |
 * | `token-state` | how its token is kept | `data-state`: `TokenState` |
 * | `removed-endpoint` | what was removed last, with Undo | `data-name` |
 * | `keychain-note` | how long tokens are kept here | `data-available` |
 *
 * Accessible names: the rail's tabs (or buttons) "Run", "Timeline", "Decisions", "Endpoints", "Models", "Device"; in
 * Decisions the fields "Agent", "Users", "Period, ms", "Threshold, %", "Exploration cap, %", the buttons "Start" ("Start
 * again"), "Stop", "Pause learning", "Reset", the lists "Feed" and "Beliefs"; in Endpoints the fields "Name", "Tier",
 * "URL", "Token" and the button "Add", on an endpoint "Test", "Remove", "New token", "Set token" ("Replace token"); in Models the buttons
 * "Import…", "Import example", "Import path" beside a field whose name holds "path", and on a model "Verify", "Remove"
 * (which asks in place: "Remove the model", "Keep it"); on a running job "Cancel"; in Run the fields
 * "Model", "Input", "Mode", the slider "Budget", the buttons "Run once", "Run continuously", "Stop"; a failure is
 * an element of role `alert`.
 */
export const PANELS = ['Run', 'Timeline', 'Decisions', 'Endpoints', 'Models', 'Device'] as const;
export type PanelName = (typeof PANELS)[number];

/** A control that may be a tab or a button, whichever role its author chose. */
function tabOrButton(scope: Page | Locator, name: string): Locator {
  return scope
    .getByRole('tab', { name, exact: true })
    .or(scope.getByRole('button', { name, exact: true }))
    .first();
}

/** Picks the first choice whose text matches, in a native select, a listbox behind a button, or a radio group. */
async function choose(field: Locator, choice: RegExp): Promise<void> {
  await expect(field.first()).toBeVisible();
  const shown = field.first();
  const role = await shown.getAttribute('role');
  const isSelect = await shown.evaluate((element) => (element as { tagName: string }).tagName === 'SELECT');
  if (isSelect) {
    const option = field.locator('option').filter({ hasText: choice }).first();
    await field.selectOption((await option.getAttribute('value')) ?? '');
  } else if (role === 'radiogroup') {
    await field.getByText(choice).first().click();
  } else {
    await field.first().click();
    await field.page().getByRole('option').filter({ hasText: choice }).first().click();
  }
}

/** The window: rail, frame, status strip. */
export class ConsolePage {
  readonly statusStrip: Locator;
  readonly budget: Locator;
  readonly engineStatus: Locator;
  readonly models: ModelsPanel;
  readonly run: RunPanel;
  readonly timeline: TimelinePanel;
  readonly decisions: DecisionsPanel;
  readonly endpoints: EndpointsPanel;
  readonly device: DevicePanel;

  constructor(readonly page: Page) {
    this.statusStrip = page.getByTestId('status-strip');
    this.budget = page.getByTestId('budget').first();
    this.engineStatus = page.getByTestId('engine-status').first();
    this.models = new ModelsPanel(page);
    this.run = new RunPanel(page);
    this.timeline = new TimelinePanel(page);
    this.decisions = new DecisionsPanel(page);
    this.endpoints = new EndpointsPanel(page);
    this.device = new DevicePanel(page);
  }

  panel(name: PanelName): Locator {
    return this.page.getByTestId(`panel-${name.toLowerCase()}`);
  }

  /** Chooses a panel in the rail and waits until it is on screen. */
  async open(name: PanelName): Promise<Locator> {
    await tabOrButton(this.page, name).click();
    const panel = this.panel(name);
    await expect(panel).toBeVisible();
    return panel;
  }

  /** Sets the global budget; empty: no limit. */
  async setBudget(limit: string): Promise<void> {
    await this.budget.click();
    const form = this.page.getByRole('dialog');
    await form.getByRole('textbox').fill(limit);
    await form.getByRole('button', { name: 'Set', exact: true }).click();
    await expect(form).toHaveCount(0);
  }

  /** Waits until the engine answers. */
  async ready(timeoutMs = 30_000): Promise<void> {
    await expect(this.statusStrip).toBeVisible({ timeout: timeoutMs });
    await expect(this.engineStatus).toHaveAttribute('data-state', 'ok', { timeout: timeoutMs });
  }
}

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
