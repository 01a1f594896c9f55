import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { build } from 'esbuild';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { SyncGround } from './test-support/sync-ground';

const KILLS = 10;
const TEST_MS = 180_000;
const OUT = resolve(__dirname, '../../../out');
let bundle: string;
let folder: string;

beforeAll(async () => {
  mkdirSync(OUT, { recursive: true });
  // Below out/, so that it finds the packages.
  bundle = mkdtempSync(join(OUT, 'test-sync-'));
  await build({
    entryPoints: [resolve(__dirname, 'test-support/sync-process.ts')],
    outfile: join(bundle, 'sync.js'),
    ...{ bundle: true, platform: 'node', target: 'node18', packages: 'external', logLevel: 'error' },
  });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sync-killed-'));
  return () => rmSync(folder, { recursive: true, force: true });
});
afterAll(() => rmSync(bundle, { recursive: true, force: true }));

function start(url: string, number: number, mode: string): ChildProcess {
  const args = [join(bundle, 'sync.js'), folder, url, String(number), mode];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

it(
  'a lab killed again and again while it forwards: the other has each point once',
  async () => {
    const far = await SyncGround.open({ seed: 2 });
    const random = seededRandom(11);
    for (let kill = 0; kill < KILLS; kill++) {
      const lab = start(far.url, kill, 'log');
      const exited = once(lab, 'exit');
      await Promise.race([once(lab.stdout!, 'data'), exited]);
      // Anywhere in its work; when exactly does not matter.
      await Promise.race([sleep(random() * 400), exited]);
      lab.kill('SIGKILL');
      await exited;
    }
    const last = start(far.url, KILLS, 'finish');
    const chunks: Buffer[] = [];
    last.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
    expect(await once(last, 'close')).toEqual([0, null]);
    const runs = JSON.parse(Buffer.concat(chunks).toString().split('\n').at(-1)!) as [string, string[]][];
    expect(runs.length).toBeGreaterThan(0);
    expect(far.runs().map(({ info }) => info.runId)).toEqual(runs.map(([runId]) => runId));
    for (const [runId, points] of runs) expect(far.storedPoints(runId)).toEqual(points);
    await far.close();
  },
  TEST_MS,
);
