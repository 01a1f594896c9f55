import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';

import { workerFile } from '../../base';
import { smolLm2, SMOLLM2_SET_UP_MS } from '../test-support/smollm2';
import type { PeakLine } from './test-support/peak-process';

it('a process takes about as much less as its weights do', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
  if (platform() !== 'linux') test.skip('the peak of a process is read from /proc');
  const model = await smolLm2(test);
  const worker = workerFile('weight-stream-worker');
  const script = join(dirname(dirname(worker)), 'test', 'peak-process.js');
  buildSync({
    entryPoints: [join(__dirname, 'test-support', 'peak-process.ts')],
    bundle: true,
    platform: 'node',
    target: 'node18',
    outfile: script,
    external: ['koffi', 'onnxruntime-node'],
  });
  const folder = mkdtempSync(join(tmpdir(), 'sluice-peak-'));
  const peak = (...budget: readonly string[]): PeakLine => {
    const args = [script, model, join(folder, 'store'), ...budget];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as PeakLine;
  };
  try {
    const whole = peak();
    const budget = String(Math.round(0.4 * whole.weightBytes));
    peak(budget); // lays the weights out
    const streamed = peak(budget);
    const savedBytes = whole.weightBytes - streamed.weightBytes;
    expect(savedBytes).toBeGreaterThan(0.5 * whole.weightBytes);
    expect(whole.peakBytes - streamed.peakBytes).toBeGreaterThan(0.6 * savedBytes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
