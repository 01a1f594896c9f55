import { expect, type Locator, type Page } from '@playwright/test';

/**
 * How the tests find things in the console. This file is the agreement between the console and its tests: roles and
 * accessible names first, a `data-testid` where a role says too little, and `data-*` attributes where a test must
 * read a state that the screen shows by colour or shape.
 *
 * | test id | element | attributes |
 * |---|---|---|
 * | `panel-run`, `panel-timeline`, `panel-models`, `panel-device` | root of a panel, in the document only while chosen or hidden when not | |
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
 *
 * Accessible names: the rail's tabs (or buttons) "Run", "Timeline", "Models", "Device"; in Models the buttons
 * "Import…", "Import example", "Import path" beside a field whose name holds "path", and on a model "Verify", "Remove"
 * (which asks in place: "Remove the model", "Keep it"); on a running job "Cancel"; in Run the fields
 * "Model", "Input", "Mode", the slider "Budget", the buttons "Run once", "Run continuously", "Stop"; a failure is
 * an element of role `alert`.
 */
export const PANELS = ['Run', 'Timeline', 'Models', 'Device'] as const;
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
  readonly device: DevicePanel;

  constructor(readonly page: Page) {
    this.statusStrip = page.getByTestId('status-strip');
    this.budget = page.getByTestId('budget').first();
    this.engineStatus = page.getByTestId('engine-status').first();
    this.models = new ModelsPanel(page);
    this.run = new RunPanel(page);
    this.timeline = new TimelinePanel(page);
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
