import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { workerFile } from '../../base';
import { barsOf, loadBarsOf, readBudget } from './console-budget';
import { countLoads } from './load-counts';

const OUT = join(workerFile('cli'), '..', '..');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-budget-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the budget of the console', () => {
  it.skipIf(!existsSync(join(OUT, 'renderer')))('holds what starts load', async () => {
    const loads = await countLoads(OUT, folder);
    for (const [name, count] of Object.entries(loads)) expect(count, name).toBeGreaterThan(0);
    expect(loads.rendererStartBytes).toBeGreaterThan(100_000);
    expect(loadBarsOf(loads, readBudget().loads).filter(({ met }) => !met)).toEqual([]);
  });

  it('needs a build', async () => {
    await expect(countLoads(folder, folder)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/npm run build/) as string,
    });
  });

  it('says of each figure whether it is kept to', () => {
    const { startToBare, filledToBare, idleCpuPct } = readBudget();
    const app = {
      rounds: 1,
      coldStartMs: 1,
      filledMs: 1,
      firstPaintMs: 1,
      bareStartMs: 1,
      startToBare: startToBare + 0.5,
      filledToBare,
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
      'cold start until all is told over an empty window’s': true,
      'idle CPU, percent of a core': true,
    });
  });
});
