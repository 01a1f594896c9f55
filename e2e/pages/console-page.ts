import { expect, type Locator, type Page } from '@playwright/test';
import { DecisionsPanel } from './decisions-panel';
import { DevicePanel } from './device-panel';
import { EndpointsPanel } from './endpoints-panel';
import { FleetPanel } from './fleet-panel';
import { LabPanel } from './lab-panel';
import { LanguagePanel } from './language-panel';
import { ModelsPanel } from './models-panel';
import { RunPanel } from './run-panel';
import { TimelinePanel } from './timeline-panel';

/**
 * How the tests find things in the console. This folder is the agreement between the console and its tests: roles and
 * accessible names first, a `data-testid` where a role says too little, and `data-*` attributes where a test must
 * read a state that the screen shows by colour or shape.
 *
 * | test id | element | attributes |
 * |---|---|---|
 * | `panel-run`, `panel-timeline`, `panel-decisions`, `panel-language`, `panel-lab`, `panel-endpoints`, `panel-models`, `panel-device`, `panel-fleet` | root of a panel, in the document only while chosen or hidden when not | |
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
 * | `language-model-row` | one language model in Models | `data-model`, `data-state`: `LanguageModelSummary['state']` |
 * | `addition-row` | one import or download of a language model | `data-state`: `running`, `failed` |
 * | `conversation-row` | one conversation of the list | `data-conversation`: its id, `data-chosen` |
 * | `conversation` | the conversation in view | `data-conversation`, `data-origins`: whether tokens are underlined |
 * | `message` | one message | `data-message`: its id, `data-role`, `data-state`: `Message['state']` |
 * | `message-text` | its text; each run of tokens in it is a `span` with `data-origin`: a `TokenOrigin` | |
 * | `reply-phase` | what a reply does before its first token | `data-phase`: `starting`, `loading`, `prefill` |
 * | `reply-stats` | a reply in figures | |
 * | `origin-legend` | what underlines mean; an entry has `data-origin-count`: a `TokenOrigin`, `data-count` | |
 * | `rounds-canvas` | the rounds of the shown reply | `data-rounds`: how many |
 * | `language-acceptance`, `language-draft-length`, `language-rate`, `language-rounds` | its live figures | |
 * | `cache-memory`, `cache-map`, `cache-stored` | where the caches are | |
 * | `run-table`, `run-row` | the lab's runs, and one of them | `data-run`: its id, `data-state`: `LabRunState` |
 * | `run-page`, `run-log` | one run of the lab, and what it wrote | |
 * | `metric-chart` | one metric of the runs in view | `data-metric` |
 * | `fork-form`, `submit-form`, `launch-form` | forms of the lab | |
 * | `compare`, `differences` | chosen runs beside each other | |
 * | `competition-item`, `board-row`, `submission` | competitions of the lab | `data-rank`, `data-own`; `data-state`: `LabSubmission['state']` |
 * | `box-row` | one box of the fleet | `data-box`: its name, `data-state`: `BoxState` |
 * | `box-menu` | which box all panels show | `data-box`: its name, absent for this machine |
 * | `box-inspector`, `fleet-summary`, `fleet-foot`, `removed-box` | the chosen box, the fleet in figures, what can be done with chosen boxes, what was removed | |
 * | `push-line` | one box of a push | `data-box`, `data-state`: `FleetPushBox['state']` |
 * | `keychain-note` | how long tokens are kept here | `data-available` |
 *
 * Accessible names: the rail's tabs (or buttons) "Run", "Timeline", "Decisions", "Language", "Lab", "Endpoints", "Models",
 * "Device"; in Decisions the fields "Agent", "Users", "Period, ms", "Threshold, %", "Exploration cap, %", the buttons "Start" ("Start
 * again"), "Stop", "Pause learning", "Reset", the lists "Feed" and "Beliefs"; in Endpoints the fields "Name", "Tier",
 * "URL", "Token" and the button "Add", on an endpoint "Test", "Remove", "New token", "Set token" ("Replace token"); in Models the buttons
 * "Import…", "Import example", "Import path" beside a field whose name holds "path", and on a model "Verify", "Remove"
 * (which asks in place: "Remove the model", "Keep it"); on a running job "Cancel"; in Run the fields
 * "Model", "Input", "Mode", the slider "Budget", the buttons "Run once", "Run continuously", "Stop"; in Language the
 * fields "Message", "Compressor", "Ratio", "Cache budget", "Max tokens" and others under "Sampling", the modes "Full",
 * "VeriCache", "Lossy", the buttons "New conversation", "Send", "Stop", "Retry" ("Go on"), "Origins", "Rounds",
 * "Settings"; a failure is an element of role `alert`.
 */
export const PANELS = [
  'Run',
  'Timeline',
  'Decisions',
  'Language',
  'Lab',
  'Endpoints',
  'Models',
  'Device',
  'Fleet',
] as const;
export type PanelName = (typeof PANELS)[number];

/** A control that may be a tab or a button, whichever role its author chose. */
function tabOrButton(scope: Page | Locator, name: string): Locator {
  return scope
    .getByRole('tab', { name, exact: true })
    .or(scope.getByRole('button', { name, exact: true }))
    .first();
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
  readonly language: LanguagePanel;
  readonly lab: LabPanel;
  readonly endpoints: EndpointsPanel;
  readonly device: DevicePanel;
  readonly fleet: FleetPanel;

  constructor(readonly page: Page) {
    this.statusStrip = page.getByTestId('status-strip');
    this.budget = page.getByTestId('budget').first();
    this.engineStatus = page.getByTestId('engine-status').first();
    this.models = new ModelsPanel(page);
    this.run = new RunPanel(page);
    this.timeline = new TimelinePanel(page);
    this.decisions = new DecisionsPanel(page);
    this.language = new LanguagePanel(page);
    this.lab = new LabPanel(page);
    this.endpoints = new EndpointsPanel(page);
    this.device = new DevicePanel(page);
    this.fleet = new FleetPanel(page);
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
