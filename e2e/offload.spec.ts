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

test('decisions move to the cloud when the edge slows, on when the cloud dies, and home when the budget allows it', async ({
  electronConsole: { page, ui },
  dataDir,
}) => {
  const { decisions, endpoints, timeline } = ui;
  await ui.ready();
  await ui.open('Decisions');
  await saveScreen(page, 'decisions-empty');
  await decisions.installExample.click();
  await expect(decisions.progress).toBeVisible();
  await saveScreen(page, 'decisions-installing');
  await expect(decisions.variants).toHaveCount(8, { timeout: 180_000 });
  await saveScreen(page, 'decisions-idle');

  const servers = new RemoteServers(join(dataDir, 'data'), dataDir, TOKEN);
  try {
    const edge = await servers.start('edge', 0);
    const cloud = await servers.start('cloud', CLOUD_DELAY_MS);
    await ui.open('Endpoints');
    await saveScreen(page, 'endpoints-empty');
    await endpoints.add({ name: 'edge-1', tier: 'edge', url: edge.url, token: TOKEN });
    await endpoints.add({ name: 'cloud-1', tier: 'cloud', url: cloud.url, token: TOKEN });
    await expect(endpoints.row('edge-1')).toHaveAttribute('data-state', 'ready');
    await expect(endpoints.row('cloud-1')).toHaveAttribute('data-state', 'ready');
    await endpoints.test('edge-1');
    await expect(endpoints.testResult).toHaveAttribute('data-ok', 'true');
    await expect(endpoints.testResult).toContainText('8 of 8 variants');
    await saveScreen(page, 'endpoints-tested');

    // Nothing fits: whatever is asked must be answered elsewhere.
    await ui.setBudget('1 KiB');
    await ui.open('Decisions');
    await decisions.start.click();
    await expect.poll(() => decisions.latestTiers(10), { timeout: 60_000 }).toEqual(Array(10).fill('edge'));
    await saveScreen(page, 'decisions-edge');

    edge.link.set({ delayMs: SLOW_DELAY_MS });
    await expect.poll(() => decisions.latestTiers(5), { timeout: 60_000 }).toEqual(Array(5).fill('cloud'));
    await expect(decisions.feed).toContainText(/slow/i);
    await saveScreen(page, 'decisions-slowed');

    await cloud.kill();
    await expect.poll(() => decisions.latestAnswers(3), { timeout: 60_000 }).toEqual(Array(3).fill('edge'));
    await saveScreen(page, 'decisions-killed');

    await ui.setBudget('');
    await expect.poll(() => decisions.latestTiers(5), { timeout: 60_000 }).toEqual(Array(5).fill('device'));
    await decisions.cell({ user: 0, tier: 'device', variant: 'd0' }).click();
    await expect.poll(() => decisions.latestVariants(5)).toEqual(Array(5).fill('d0'));
    await saveScreen(page, 'decisions-pinned');
    await decisions.stop.click();
    await expect(decisions.state).toHaveAttribute('data-state', 'idle');

    await ui.open('Timeline');
    await timeline.chooseDecision();
    await expect.poll(() => timeline.spans()).toBeGreaterThan(0);
    await saveScreen(page, 'timeline-decision');
  } finally {
    await servers.stopAll();
  }
  expect(filesWith(dataDir, TOKEN)).toEqual([join(dataDir, 'server-token')]);
});

/** Paths of the files in a folder that contain a text. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}
