import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RequestInput } from '../contract';
import { writeZooModel, zooNetwork } from '../zoo';
import { HostProcess } from './test-support/host-process';
import { runCli } from './test-support/run-cli';

const BUDGET = 160 * 1024;
const RUN: RequestInput<'runs.start'> = {
  model: 'net',
  input: { kind: 'random', seed: 1 },
  mode: 'async',
  budgetBytes: BUDGET,
  repeat: 'once',
};
const CLI_RUN = ['run', 'net', '--input', 'random', '--json'];

let folder: string;
let data: string;
let network: string;
let first: HostProcess;
let second: HostProcess;
const both = (): readonly HostProcess[] => [first, second];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-two-'));
  data = join(folder, 'data');
  network = join(folder, 'net.onnx');
  await writeZooModel(zooNetwork('tiny-cnn'), network, { seed: 1, weights: 'inline' });
  [first, second] = await Promise.all([HostProcess.start(data), HostProcess.start(data)]);
  await first.request('models.import', { jobId: 'net', path: network });
});
afterAll(async () => {
  await Promise.all(both().map((host) => host.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const listed = async (host: HostProcess): Promise<string[]> =>
  (await host.request('runs.list', {})).map(({ id }) => id).sort();

describe('two consoles and the command line on one data folder', () => {
  it('lose no run', async () => {
    const runs = both().map(async (host) => {
      const ids: string[] = [];
      for (let count = 0; count < 15; count += 1) ids.push((await host.run(RUN)).id);
      return ids;
    });
    const command = runCli(data, [...CLI_RUN, '--budget', '160KiB']);
    const ids = (await Promise.all(runs)).flat();
    expect(await command).toMatchObject({ code: 0, stderr: '' });
    await expect.poll(() => listed(first)).toHaveLength(ids.length + 1);
    await expect.poll(() => listed(second)).toEqual(await listed(first));
    expect(await listed(first)).toEqual(expect.arrayContaining(ids));
  });

  it('tell a console of a run on the command line, and put its latency on the curve', async () => {
    const heard = Promise.all(
      both().map((host) => host.event('run', ({ mode, state }) => mode === 'sync' && state === 'done')),
    );
    const ran = await runCli(data, [...CLI_RUN, '--mode', 'sync', '--budget', '160KiB', '--repeat', '4']);
    expect(ran.code).toBe(0);
    for (const run of await heard) expect(run).toMatchObject({ model: 'net', hasTrace: true });
    const { measured } = await second.request('plan.curve', { model: 'net', mode: 'sync' });
    expect(measured).toContainEqual(expect.objectContaining({ mode: 'sync', budgetBytes: BUDGET, runs: 3 }));
  });

  it('a console that starts takes no run of another for lost', async () => {
    const { runId } = await first.request('runs.start', { ...RUN, repeat: 'continuous' });
    await first.event('result', (payload) => payload.runId === runId);
    const third = await HostProcess.start(data);
    expect(await listed(third)).not.toContain(runId);
    await third.run(RUN);
    const ended = first.event('run', ({ id, state }) => id === runId && state !== 'running');
    await first.request('runs.stop', { runId });
    expect(await ended).toMatchObject({ state: 'cancelled' });
    await expect.poll(() => listed(third)).toContain(runId);
    await third.stop();
  });

  it('one that is killed in the middle leaves its runs to the others', async () => {
    const third = await HostProcess.start(data);
    const { id } = await third.run(RUN);
    await expect.poll(() => listed(first)).toContain(id);
    const { runId } = await third.request('runs.start', { ...RUN, repeat: 'continuous' });
    await third.event('result', (payload) => payload.runId === runId);
    await third.kill();
    const runs = await first.request('runs.list', {});
    expect(runs.find((run) => run.id === id)).toMatchObject({ state: 'done' });
    expect(runs.find((run) => run.id === runId)).toMatchObject({
      state: 'failed',
      error: { code: 'engine-down' },
    });
    // A run that failed with its own engine says nothing about this one.
    await second.run(RUN);
    expect(await listed(second)).toEqual(expect.arrayContaining([id, runId]));
  });

  it('what one has removed can be put back, whatever the others do', async () => {
    await first.request('models.import', { jobId: 'undo', path: network, name: 'undo' });
    const removed = await first.request('models.remove', { name: 'undo' });
    expect(removed.bytes).toBeGreaterThan(100_000);
    expect((await runCli(data, ['models', 'list', '--json'])).stdout).not.toContain('undo');
    const third = await HostProcess.start(data);
    await third.stop();
    expect(await first.request('models.restore', { name: 'undo' })).toMatchObject({ state: 'ready' });
    expect((await runCli(data, ['models', 'verify', 'undo'])).code).toBe(0);
    expect(await runCli(data, ['models', 'remove', 'undo'])).toMatchObject({ code: 0 });
    expect(existsSync(join(data, 'models', '.removed'))).toBe(false);
    expect(readdirSync(join(data, 'models'))).toEqual(['net']);
  });
});
