import type { Page } from '@playwright/test';
import { z } from 'zod';

import { SluiceError } from '../../contract';
import { frameFigures, openBrowser, rounded } from '../bench/browser';
import type { FrameFigures } from '../bench/browser';

/** What the panel's page did in one stretch, with figures of all boxes coming in. */
export interface PanelStretch extends FrameFigures {
  /** Of more than 50 ms, in which the page answers to nothing. */
  readonly longTasks: number;
  readonly longestTaskMs: number;
  /** Of a core: the page's main thread. */
  readonly mainThreadPct: number;
  /** Lines of the table that changed, a second. */
  readonly rowsChangedPerSec: number;
}

export interface PanelReport {
  readonly browser: string;
  readonly viewport: string;
  /** Lines of the table in the document, of all boxes. */
  readonly rowsInDocument: number;
  readonly still: PanelStretch;
  readonly scrolled: PanelStretch;
  /** A letter every 250 ms into the search. */
  readonly searched: PanelStretch;
}

const VIEWPORT = { width: 1600, height: 900 };
const ROW = '[data-testid="box-row"]';
const LETTER_EVERY_MS = 250;
const WORDS = 'box 1';

// Evaluated as text: this module knows no DOM types.
const RECORD = `(ms) => new Promise((resolve) => {
  const table = document.querySelector('[data-testid="panel-fleet"] [role="table"]');
  const frameMs = [], tasksMs = [];
  let rows = 0;
  const tasks = new PerformanceObserver((list) => list.getEntries().forEach((task) => tasksMs.push(task.duration)));
  tasks.observe({ type: 'longtask' });
  const changes = new MutationObserver((records) => {
    const changed = new Set(records.map(({ target }) => (target.closest ? target : target.parentElement)?.closest('${ROW}')));
    changed.delete(null);
    rows += changed.size;
  });
  changes.observe(table, { subtree: true, childList: true, characterData: true });
  const startMs = performance.now();
  let lastMs = startMs;
  const frame = () => {
    const nowMs = performance.now();
    frameMs.push(nowMs - lastMs);
    lastMs = nowMs;
    if (window.sluiceEachFrame) window.sluiceEachFrame(table, nowMs - startMs);
    if (nowMs - startMs < ms) { requestAnimationFrame(frame); return; }
    tasks.disconnect();
    changes.disconnect();
    resolve({ frameMs, tasksMs, rows });
  };
  requestAnimationFrame(frame);
})`;
/** Down to the last box and up again, every four seconds. */
const SCROLL = `window.sluiceEachFrame = (table, ms) => {
  table.scrollTop = (table.scrollHeight - table.clientHeight) * (0.5 - Math.cos((ms / 2000) * Math.PI) / 2);
}`;

const recordSchema = z.object({
  frameMs: z.array(z.number()),
  tasksMs: z.array(z.number()),
  rows: z.number(),
});

/**
 * Opens the console of an engine in headless Chromium, shows its fleet, and measures frames and long tasks.
 * @param url with its token. @throws SluiceError `not-found` without a browser, `unsupported` without Playwright.
 */
export async function measurePanel(url: string, seconds: number, chromePath?: string): Promise<PanelReport> {
  const browser = await openBrowser(chromePath);
  try {
    const page = await browser.newPage({ viewport: VIEWPORT });
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    await page.goto(url);
    await page
      .getByRole('tab', { name: 'Fleet' })
      .or(page.getByRole('button', { name: 'Fleet', exact: true }))
      .first()
      .click();
    await page.locator(`${ROW}[data-state="online"]`).first().waitFor();
    const still = await stretch(page, seconds);
    const rowsInDocument = await page.locator(ROW).count();
    await page.evaluate(SCROLL);
    const scrolled = await stretch(page, seconds);
    await page.evaluate('window.sluiceEachFrame = undefined');
    const [searched] = await Promise.all([stretch(page, seconds), search(page, seconds)]);
    if (failures.length > 0)
      throw new SluiceError('internal', `The console's page failed: ${failures.join('; ')}`);
    return {
      browser: `${browser.browserType().name()} ${browser.version()}`,
      viewport: `${VIEWPORT.width}x${VIEWPORT.height}`,
      rowsInDocument,
      still,
      scrolled,
      searched,
    };
  } finally {
    await browser.close();
  }
}

async function search(page: Page, seconds: number): Promise<void> {
  const field = page.getByTestId('panel-fleet').getByRole('searchbox');
  const letters = Math.floor((seconds * 1000) / LETTER_EVERY_MS) - 1;
  for (let at = 0; at < letters; at += 1) {
    await field.fill(WORDS.slice(0, at % (WORDS.length + 1)));
    await page.waitForTimeout(LETTER_EVERY_MS);
  }
}

async function stretch(page: Page, seconds: number): Promise<PanelStretch> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const busySec = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  };
  const before = await busySec();
  const recorded = recordSchema.parse(await page.evaluate(`(${RECORD})(${seconds * 1000})`));
  const busy = (await busySec()) - before;
  await devtools.detach();
  const { frameMs, tasksMs, rows } = recorded;
  return {
    ...frameFigures(frameMs),
    longTasks: tasksMs.length,
    longestTaskMs: rounded(Math.max(0, ...tasksMs)),
    mainThreadPct: rounded((busy / seconds) * 100),
    rowsChangedPerSec: rounded(rows / seconds),
  };
}
