import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { decodeModel } from '../../../onnx';
import { runCli } from '../../test-support/run-cli';
import type { CaseReport } from './whole-case';

const TIMEOUT_MS = 300_000;

let folder: string;
let report: CaseReport;

beforeAll(async () => {
  vi.stubEnv('SLUICE_LAB_URL', '');
  folder = mkdtempSync(join(tmpdir(), 'sluice-lab-case-'));
  const told = await runCli(folder, ['lab', 'example', '--whole', '--json']);
  expect(told.stderr).toMatch(/answered 400 requests\n$/);
  report = told.json() as unknown as CaseReport;
}, TIMEOUT_MS);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** By competition, each user's score. */
function scores(): Readonly<Record<string, Readonly<Record<string, number>>>> {
  return Object.fromEntries(
    Object.entries(report.boards).map(([name, { rows }]) => [
      name,
      Object.fromEntries(rows.map(({ user, score }) => [user, score])),
    ]),
  );
}

describe('the whole case, from the command line', () => {
  it('has a classification, a regression and a sequence, each scored as it should be', () => {
    expect(
      Object.entries(report.boards).map(([name, { metric }]) => `${name} ${metric.name} ${metric.direction}`),
    ).toEqual(['box-state accuracy max', 'box-heat rmse min', 'box-events token-accuracy max']);
    for (const { rows } of Object.values(report.boards)) {
      expect(rows.map(({ user }) => user).sort()).toEqual(['ann', 'ben', 'cem']);
    }
    expect(report.submissions.filter(({ isDryRun }) => isDryRun)).toHaveLength(1);
    expect(report.runs.map(({ what }) => what).sort()).toEqual([
      ...Array<string>(3).fill('default'),
      ...Array<string>(3).fill('fork'),
      'found',
      'own',
      'own',
    ]);
  });

  it('learns: whoever changes more is ahead of whoever takes what there is', () => {
    const { 'box-state': state, 'box-heat': heat, 'box-events': events } = scores();
    expect(heat!['ben']).toBeLessThan(heat!['ann']!);
    expect(heat!['cem']).toBeLessThan(heat!['ann']!);
    expect(events!['cem']).toBeGreaterThan(events!['ann']!);
    // What the search found, trained for as long as the default.
    expect(state!['cem']).toBeGreaterThan(state!['ann']! + 0.1);
    expect(report.search.trials).toBe(10);
    // Early stopping: less than a third of what training all trials to the end takes.
    expect(report.search.spentEpochs).toBeLessThan(60);
  });

  it('serves the winner: its answers are those of the program, and of ONNX Runtime', async () => {
    const { served } = report;
    expect(served).toMatchObject({ model: 'box-state', version: 2, requests: 400, asPredicted: 400 });
    // Half of 60, by chance.
    expect(served.canary.before).toBeGreaterThan(0);
    expect(served.canary.winner).toBeGreaterThan(0);
    expect(served.canary.before + served.canary.winner).toBe(60);
    expect(served.accuracy).toBeCloseTo(scores()['box-state']!['cem']!, 10);
    const session = await InferenceSession.create(served.file);
    for (const { readings, probabilities } of served.answers) {
      const input = new Tensor('float32', Float32Array.from(readings), [1, readings.length]);
      const { probabilities: direct } = await session.run({ readings: input });
      expect(direct!.dims).toEqual([1, 4]);
      for (const [at, share] of Array.from(direct!.data as Float32Array).entries()) {
        expect(probabilities[at]).toBeCloseTo(share, 5);
      }
    }
    await session.release();
  });

  it('leaves a model that this project reads too, and no answers beside the programs', () => {
    const { graph } = decodeModel(readFileSync(report.served.file), report.served.file);
    expect(graph.nodes.map(({ opType }) => opType)).toEqual([
      'Sub',
      'Mul',
      'Gemm',
      'Relu',
      'Gemm',
      'Softmax',
    ]);
    expect(existsSync(join(folder, 'lab-example', 'state.mjs'))).toBe(true);
    expect(existsSync(join(folder, 'lab-example', 'hidden'))).toBe(false);
  });
});
