import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, type Page } from '@playwright/test';
import { tinyChatModel } from '../core/llm/test-support/tiny-chat-model';
import { saveScreen, test } from './fixtures';
import { RemoteServers } from './offload-servers';
import { PANELS, type ConsolePage } from './pages/console-page';
import type { LabView } from './pages/lab-panel';

const CLI = resolve(__dirname, '../out/main/cli.js');
const TOKEN = 'a-token-of-a-full-console';

/** Controls that are cut off by the window or by a frame that does not scroll, lie over each other, or are smaller than a finger or a shaky hand needs. */
async function faultsOfControls(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`(() => {
    const LEAST_PX = 24;
    const name = (element) => element.tagName.toLowerCase() + ' "' +
      (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40) + '"';
    const seen = [...document.querySelectorAll('button, select, input, textarea, a[href], summary')].filter((element) => {
      const box = element.getBoundingClientRect();
      // What lies below something that was opened is out of reach on purpose.
      return box.width > 1 && box.height > 1 && element.closest('[inert]') === null && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    });
    const faults = [];
    // What a scrolling frame hides is reached by scrolling.
    const framesOf = (element) => {
      const frames = [];
      for (let at = element.parentElement; at !== null; at = at.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(at).overflow)) frames.push(at);
      }
      return frames;
    };
    const clippedBy = (element, box) => {
      for (let at = element.parentElement; at !== null; at = at.parentElement) {
        const { overflowX, overflowY } = getComputedStyle(at);
        const frame = at.getBoundingClientRect();
        const isOutX = box.right > frame.right + 1 || box.left < frame.left - 1;
        const isOutY = box.bottom > frame.bottom + 1 || box.top < frame.top - 1;
        if ((isOutX && /hidden|clip/.test(overflowX)) || (isOutY && /hidden|clip/.test(overflowY))) return at;
        if (/auto|scroll/.test(overflowX + overflowY)) return null;
      }
      return null;
    };
    for (const element of seen) {
      const box = element.getBoundingClientRect();
      const clip = clippedBy(element, box);
      if (clip !== null) faults.push('clipped: ' + name(element) + ' by ' + (clip.className || clip.tagName));
      if (framesOf(element).length === 0 && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1))
        faults.push('cut off: ' + name(element));
      // A control in a line of text, or whose label is the target, may be smaller (WCAG 2.2, 2.5.8).
      const target = element.closest('label') ?? element;
      const targetBox = target.getBoundingClientRect();
      const isSmall = targetBox.height < LEAST_PX - 0.5 || targetBox.width < LEAST_PX - 0.5;
      const isInline = getComputedStyle(element).display === 'inline';
      const isAlone = !seen.some((other) => {
        if (other === element || other.contains(element) || element.contains(other)) return false;
        const otherBox = other.getBoundingClientRect();
        const dx = Math.max(0, Math.abs(otherBox.x + otherBox.width / 2 - box.x - box.width / 2) - otherBox.width / 2);
        const dy = Math.max(0, Math.abs(otherBox.y + otherBox.height / 2 - box.y - box.height / 2) - otherBox.height / 2);
        return Math.hypot(dx, dy) < LEAST_PX / 2;
      });
      if (isSmall && !isInline && !isAlone)
        faults.push('small: ' + name(element) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height));
      const x = box.x + box.width / 2;
      const y = box.y + box.height / 2;
      if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) continue;
      const isScrolledAway = framesOf(element).some((frame) => {
        const { left, right, top, bottom } = frame.getBoundingClientRect();
        return x < left || x > right || y < top || y > bottom;
      });
      if (isScrolledAway) continue;
      const top = document.elementFromPoint(x, y);
      if (top !== null && !element.contains(top) && !top.contains(element) && top.closest('label') === null)
        faults.push('covered: ' + name(element) + ' by ' + name(top));
    }
    if (document.documentElement.scrollWidth > innerWidth) {
      const beyond = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
      faults.push('the page is wider than the window: ' + beyond.slice(0, 4).map(name).join(', '));
    }
    return [...new Set(faults)];
  })()`);
}

const WINDOWS = [
  { width: 1024, height: 640 },
  // A window of 1280 by 800 at 200%.
  { width: 640, height: 400 },
];

const LAB_VIEWS: readonly LabView[] = ['Runs', 'Searches', 'Board', 'Datasets', 'Models', 'Queue'];

/** Looks at what is shown when all of it has come. */
async function look(page: Page, root: string, screen: string): Promise<readonly string[]> {
  await expect(page.getByTestId(root).getByRole('progressbar')).toHaveCount(0, { timeout: 60_000 });
  await saveScreen(page, `narrow-${screen}`);
  return (await faultsOfControls(page)).map((fault) => `${screen}: ${fault}`);
}

async function fillDecisions(ui: ConsolePage, servers: RemoteServers): Promise<void> {
  await ui.open('Decisions');
  await ui.decisions.installExample.click();
  await expect(ui.decisions.variants).toHaveCount(8, { timeout: 300_000 });
  const edge = await servers.start('edge', 0);
  await ui.open('Endpoints');
  await ui.endpoints.add('edge-1', 'edge', edge.url, TOKEN);
  await ui.endpoints.add('press-hall-3-line-7-east', 'cloud', 'http://127.0.0.1:9');
  await expect(ui.endpoints.row('edge-1')).toHaveAttribute('data-state', 'ready');
  await ui.open('Decisions');
  await ui.decisions.set(ui.decisions.users, '3');
  await ui.decisions.begin();
  await expect(ui.decisions.rows.nth(5)).toBeVisible({ timeout: 60_000 });
  await ui.decisions.stop.click();
}

async function fillLanguage(ui: ConsolePage, folder: string): Promise<void> {
  const path = join(folder, 'a-chat-model-with-a-long-name.gguf');
  writeFileSync(path, tinyChatModel());
  await ui.open('Language');
  await ui.language.importReady(path);
  await ui.language.begin();
  await ui.language.setMaxTokens(64);
  await ui.language.ask('abc abc abc: what follows is abc abc abc, and again abc abc abc.');
  await ui.language.replyEnds();
  // Where the rounds are drawn has room for them.
  expect((await ui.language.rounds.boundingBox())?.height).toBeGreaterThan(40);
}

/** Runs, a search, competitions, a dataset and a registered model, as three users of the example leave them. */
async function fillLab(ui: ConsolePage, engineDir: string): Promise<void> {
  // Before the console asks for the lab: it would start a server of its own.
  const env = { ...process.env, SLUICE_DATA_DIR: engineDir };
  await promisify(execFile)(process.execPath, [CLI, 'lab', 'example', '--whole'], { env });
  await ui.open('Lab');
  await expect(ui.lab.rows.first()).toBeVisible({ timeout: 60_000 });
}

async function lookAtLab(page: Page, ui: ConsolePage, width: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const view of LAB_VIEWS) {
    await ui.lab.view(view);
    if (view === 'Board') await ui.lab.competitions.first().click();
    if (view === 'Searches') await expect(ui.lab.root.getByTestId('parallel')).toBeVisible();
    found.push(...(await look(page, 'panel-lab', `${width}-lab-${view.toLowerCase()}`)));
  }
  await ui.lab.view('Runs');
  await ui.lab.rows.first().dblclick();
  await expect(ui.lab.chart('loss')).toBeVisible();
  found.push(...(await look(page, 'panel-lab', `${width}-lab-run`)));
  await ui.lab.back.click();
  await ui.lab.table.focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('c');
  await expect(ui.lab.compare).toBeVisible();
  found.push(...(await look(page, 'panel-lab', `${width}-lab-compare`)));
  await page.keyboard.press('Escape');
  return found;
}

test.describe.configure({ timeout: 720_000 });
test.use({ library: 'example' });

// In a browser alone: the page is the same in both shells, and only there a window can be so small.
test('no control is cut off, covered or too small in the smallest window, nor at 200%', async ({
  webConsole: { page, ui },
  dataDir,
  engineDir,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await ui.ready();
  const servers = new RemoteServers(engineDir, dataDir, TOKEN);
  try {
    await ui.open('Run');
    await ui.run.answer();
    await fillDecisions(ui, servers);
    await fillLanguage(ui, dataDir);
    await fillLab(ui, engineDir);
    const found: string[] = [];
    for (const window of WINDOWS) {
      await page.setViewportSize(window);
      for (const name of PANELS) {
        await ui.open(name);
        if (name === 'Lab') found.push(...(await lookAtLab(page, ui, window.width)));
        else
          found.push(
            ...(await look(page, `panel-${name.toLowerCase()}`, `${window.width}-${name.toLowerCase()}`)),
          );
      }
    }
    expect(found).toEqual([]);
  } finally {
    await servers.stopAll();
  }
});
