import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { benchLab } from './index';

it('measures a small lab, of which kill -9 costs nothing', async () => {
  const workDir = mkdtempSync(join(tmpdir(), 'sluice-bench-lab-'));
  try {
    const report = await benchLab({
      appRoot: workDir,
      workDir,
      writers: 2,
      warmUpMs: 200,
      loadMs: 300,
      rounds: 2,
      runs: 200,
      seriesPoints: 20_000,
      repeats: 2,
      idleMs: 1,
      peer: true,
    });
    expect(report).toMatchObject({
      environment: { writers: 2, runs: 200, repeats: 2 },
      lostPoints: 0,
      peaks: 4,
      keptPeaks: 4,
      // Its folder has no script that gets MLflow.
      peerMissing: expect.stringContaining('mlflow-server.mjs') as string,
      rows: [
        { side: 'sluice', round: 1, refusedRequests: 0 },
        { side: 'sluice', round: 2, refusedRequests: 0 },
      ],
    });
    expect(report.acknowledgedPoints).toBeGreaterThan(0);
    expect(report.sampledPoints).toBeLessThanOrEqual(1000);
    expect(report.foundRuns).toBeGreaterThan(0);
    for (const figure of [report.pointsPerSec, report.searchMs, report.inProcessSearchMs, report.sampleMs]) {
      expect(figure).toBeGreaterThan(0);
    }
    expect(report.bars).toHaveLength(6);
    expect(report.bars.find(({ bar }) => bar.includes('kill -9'))).toMatchObject({ value: 0, met: true });
    expect(readdirSync(workDir)).toEqual([]);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
});
