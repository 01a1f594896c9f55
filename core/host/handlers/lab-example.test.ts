import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { HostProcess } from '../test-support/host-process';

const TIMEOUT_MS = 120_000;
let dataDir: string;
let host: HostProcess;

beforeAll(async () => {
  vi.stubEnv('SLUICE_LAB_URL', '');
  vi.stubEnv('SLUICE_USER', 'ada');
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-example-handler-'));
  host = await HostProcess.start(dataDir);
}, TIMEOUT_MS);
afterAll(async () => {
  vi.unstubAllEnvs();
  await host.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, TIMEOUT_MS);

it(
  'the console starts the example with one request, and sees its curve',
  async () => {
    const row = await host.request('lab.startExample', {});
    expect(row).toMatchObject({ name: 'ada/edge-box/1', dataset: 'edge-box@1', isLaunched: true });
    expect(row.program).toMatch(/^state\.mjs --hidden 8/);
    const { runId } = row;
    const points = async (): Promise<number> => {
      const [found] = await host.request('lab.series', { runIds: [runId], key: 'val_accuracy', points: 100 });
      return found?.value.length ?? 0;
    };
    await vi.waitFor(async () => expect(await points()).toBeGreaterThan(2), {
      timeout: 60_000,
      interval: 250,
    });
    await host.request('lab.stop', { run: runId, graceMs: 0 });
    const ended = async (): Promise<number | undefined> =>
      (await host.request('lab.run', { run: runId })).endedMs;
    await vi.waitFor(async () => expect(await ended()).toBeDefined(), { timeout: 60_000, interval: 250 });
  },
  TIMEOUT_MS,
);
