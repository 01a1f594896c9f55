import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import { RemoteServers } from './offload-servers';

const TOKEN = 'a-token-nobody-may-find-on-disk';
/** The cloud is further away than the edge. */
const CLOUD_DELAY_MS = 40;
const SLOW_DELAY_MS = 400;

test.describe.configure({ timeout: 300_000 });

test(
  'decisions move to the cloud when the edge slows, on when the cloud dies, and home when the budget allows it',
  { tag: '@both' },
  async ({ console: { page, ui }, dataDir, engineDir }) => {
    const { decisions, endpoints, timeline } = ui;
    const latest = (
      figure: Parameters<typeof decisions.latest>[0],
      value: string,
      count: number,
    ): Promise<void> =>
      expect
        .poll(() => decisions.latest(figure, count), { timeout: 60_000 })
        .toEqual(Array<string>(count).fill(value));
    await ui.ready();
    await ui.open('Decisions');
    await saveScreen(page, 'decisions-empty');
    await decisions.installExample.click();
    await saveScreen(page, 'decisions-installing');
    await expect(decisions.variants).toHaveCount(8, { timeout: 180_000 });
    await saveScreen(page, 'decisions-idle');

    const servers = new RemoteServers(engineDir, dataDir, TOKEN);
    try {
      const edge = await servers.start('edge', 0);
      const cloud = await servers.start('cloud', CLOUD_DELAY_MS);
      await ui.open('Endpoints');
      await saveScreen(page, 'endpoints-empty');
      await endpoints.add('edge-1', 'edge', edge.url, TOKEN);
      await endpoints.add('cloud-1', 'cloud', cloud.url, TOKEN);
      await expect(endpoints.row('edge-1')).toHaveAttribute('data-state', 'ready');
      await expect(endpoints.row('cloud-1')).toHaveAttribute('data-state', 'ready');
      await endpoints.runTest('edge-1');
      await expect(endpoints.test).toHaveAttribute('data-ok', 'true');
      await expect(endpoints.test).toContainText('8 of 8 variants');
      await saveScreen(page, 'endpoints-tested');

      // No variant fits the device: whatever is asked must be answered elsewhere.
      await ui.setBudget('1 KiB');
      await ui.open('Decisions');
      await decisions.set(decisions.explorationCap, '0');
      await decisions.begin();
      await latest('tier', 'edge', 5);
      await saveScreen(page, 'decisions-edge');

      edge.link.set({ delayMs: SLOW_DELAY_MS });
      await latest('tier', 'cloud', 5);
      await expect(decisions.root).toContainText(/slow/i);
      await saveScreen(page, 'decisions-slowed');

      // Slow is better than nothing.
      await cloud.kill();
      await latest('answered-by', 'edge', 2);
      await saveScreen(page, 'decisions-killed');

      await ui.setBudget('');
      await latest('tier', 'device', 5);
      await decisions.cell(0, 'device', 'd0').click();
      await latest('variant', 'd0', 3);
      await saveScreen(page, 'decisions-pinned');

      edge.link.set({ delayMs: 0 });
      await decisions.cell(0, 'edge', 'd0').click();
      await latest('answered-by', 'edge', 3);
      await decisions.stop.click();
      await expect(decisions.state).toHaveAttribute('data-state', 'idle');
      await decisions.showInTimeline();
      await expect(timeline.root).toBeVisible();
      // What was sent, waited for, computed and received.
      await expect.poll(() => timeline.spans()).toBeGreaterThanOrEqual(3);
      await saveScreen(page, 'timeline-decision');
    } finally {
      await servers.stopAll();
    }
    expect(filesWith(dataDir, TOKEN)).toEqual([join(dataDir, 'server-token')]);
  },
);

/** Paths of the files in a folder that contain a text. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}
