import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { workerFile } from '../../base';
import { barsOf, readBudget } from './console-budget';

const CLI = workerFile('cli');
const ASSETS = join(CLI, '..', '..', 'renderer', 'assets');
/** Counts what a program has loaded when it ends. */
const COUNT = `process.on('exit', () => process.stderr.write(String(Object.keys(require.cache).length)));`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-budget-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the budget of the console', () => {
  it.skipIf(!existsSync(ASSETS))('holds the scripts and styles that a window begins with', () => {
    const names = readdirSync(ASSETS).filter((name) => /^(index|base)-.*\.(js|css)$/.test(name));
    const bytes = names.reduce((sum, name) => sum + statSync(join(ASSETS, name)).size, 0);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThanOrEqual(readBudget().rendererStartBytes);
  });

  it('holds the files that a command loads which needs none of them', () => {
    const counter = join(folder, 'count.cjs');
    writeFileSync(counter, COUNT);
    // What is counted goes to stderr, which is all that is taken here.
    const said = execFileSync('sh', [
      '-c',
      '"$0" -r "$1" "$2" --version 2>&1 >/dev/null',
      process.execPath,
      counter,
      CLI,
    ]);
    expect(Number(said.toString('utf8'))).toBeGreaterThan(1);
    expect(Number(said.toString('utf8'))).toBeLessThanOrEqual(readBudget().cliModules);
  });

  it('says of each figure whether it is kept to', () => {
    const { startToBare, idleCpuPct } = readBudget();
    const app = {
      rounds: 1,
      coldStartMs: 1,
      firstPaintMs: 1,
      bareStartMs: 1,
      startToBare: startToBare + 0.5,
      idleSeconds: 1,
      idleCpuPct,
      idleWakeUpsPerSec: 1,
      processes: [{ role: 'main', count: 1, idleCpuPct, memoryBytes: 1 }],
      memoryBytes: 1,
      bareMemoryBytes: 1,
      memoryToBare: 1,
      keyMsMedian: 1,
      keyMsP95: 1,
      busyKeyMsMedian: 1,
      busyKeyMsP95: 1,
      busyKeyToIdle: 1,
    } as const;
    const kept = Object.fromEntries(barsOf(app, readBudget()).map(({ bar, met }) => [bar, met]));
    expect(kept).toMatchObject({
      'cold start over an empty window’s': false,
      'idle CPU, percent of a core': true,
    });
  });
});
