import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RequestInput, RunInput } from '../contract';
import { writeZooModel, zooNetwork } from '../zoo';
import { HostProcess } from './test-support/host-process';

const BUDGET = 160 * 1024;
const RANDOM: RunInput = { kind: 'random', seed: 1 };
const RUN: RequestInput<'runs.start'> = {
  model: 'net',
  input: RANDOM,
  mode: 'async',
  budgetBytes: BUDGET,
  repeat: 'once',
};

let folder: string;
let network: string;
let host: HostProcess;
let nextJob = 1;
const importing = (name: string): RequestInput<'models.import'> => ({
  jobId: `job ${nextJob++}`,
  path: network,
  name,
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  network = join(folder, 'tiny-cnn.onnx');
  await writeZooModel(zooNetwork('tiny-cnn'), network, { seed: 1, weights: 'inline' });
  host = await HostProcess.start(join(folder, 'data'));
  await host.request('models.import', importing('net'));
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('an engine that serves on', () => {
  /** After whatever happened, the next request gets its answer. */
  const servesOn = async (): Promise<void> => {
    expect(await host.run(RUN)).toMatchObject({ state: 'done', stats: { inferences: 1 } });
  };

  it('runs, with a trace that can be exported', async () => {
    const { id } = await host.run(RUN);
    const trace = await host.request('runs.trace', { runId: id });
    expect(trace.kind).toBeInstanceOf(Uint8Array);
    expect(trace.startUs).toBeInstanceOf(Float64Array);
    const { json } = await host.request('runs.exportTrace', { runId: id });
    expect(JSON.parse(json)).toHaveProperty('traceEvents');
  });

  it('after two imports of one name at once', async () => {
    const both = await Promise.allSettled([
      host.request('models.import', importing('twice')),
      host.request('models.import', importing('twice')),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = both.find(({ status }) => status === 'rejected');
    expect(lost).toMatchObject({ reason: { code: 'conflict' } });
    await servesOn();
    await host.request('models.remove', { name: 'twice' });
    await host.request('models.discardRemoved', {});
  });

  it('after a cancelled import, of which nothing stays', async () => {
    const request = importing('cancelled');
    const working = host.request('models.import', request);
    await host.event('job', ({ id, phase }) => id === request.jobId && phase !== 'start');
    await host.request('jobs.cancel', { jobId: request.jobId });
    await expect(working).rejects.toMatchObject({ code: 'cancelled' });
    const names = (await host.request('models.list', {})).map(({ name }) => name);
    expect(names).toEqual(['net']);
    expect(readdirSync(join(folder, 'data', 'models'))).toEqual(['net']);
    await servesOn();
  });

  it('after wrong inputs', async () => {
    const bytes = new TextEncoder().encode('{"y": {"shape": [1], "data": [1]}}');
    const record = await host.run({ ...RUN, input: { kind: 'bytes', name: 'in.json', bytes } });
    expect(record).toMatchObject({ state: 'failed', error: { code: 'bad-input' } });
    expect(record.error?.message).toMatch(/is missing/);
    expect(record.error?.message).toMatch(/"y" is no input/);
    await servesOn();
  });

  it('after a run was stopped in the middle', async () => {
    const { runId } = await host.request('runs.start', { ...RUN, repeat: 'continuous' });
    await host.event('result', (payload) => payload.runId === runId);
    const ended = host.event('run', ({ id, state }) => id === runId && state !== 'running');
    await host.request('runs.stop', { runId });
    expect(await ended).toMatchObject({ state: 'cancelled' });
    const curve = await host.request('plan.curve', { model: 'net', mode: 'async' });
    expect(curve.measured).toMatchObject([{ budgetBytes: BUDGET, mode: 'async' }]);
    await servesOn();
  });

  it('refuses to remove what runs, and a run that the global budget has no room for', async () => {
    const { runId } = await host.request('runs.start', { ...RUN, repeat: 'continuous' });
    await host.event('result', (payload) => payload.runId === runId);
    await expect(host.request('models.remove', { name: 'net' })).rejects.toMatchObject({ code: 'conflict' });

    expect(await host.request('budget.set', { limitBytes: 200 * 1024 })).toMatchObject({
      limitBytes: 200 * 1024,
      holders: [{ model: 'net' }],
    });
    const second = host.request('runs.start', { ...RUN, mode: 'sync' });
    await expect(second).rejects.toMatchObject({
      code: 'budget-too-small',
      message: expect.stringContaining('net: ') as string,
    });
    await host.request('runs.stop', { runId });
    await host.request('budget.set', { limitBytes: 0 });
    await servesOn();
  });

  it('imports an uploaded file and keeps no copy of it', async () => {
    const answer = await fetch(`${host.origin}/upload?name=sent.onnx`, {
      method: 'POST',
      headers: { origin: host.origin, cookie: host.cookie },
      body: new Uint8Array(readFileSync(network)),
    });
    const { path } = (await answer.json()) as { path: string };
    expect(await host.request('models.import', { jobId: 'sent', path })).toMatchObject({ name: 'sent' });
    expect(existsSync(join(folder, 'data', 'uploads'))).toBe(false);
    await host.request('models.remove', { name: 'sent' });
  });
});

describe('a removed model', () => {
  const aside = (): string => join(folder, 'data', 'models', '.removed');
  const remove = (name: string): Promise<{ readonly bytes: number }> =>
    host.request('models.remove', { name });
  const names = async (): Promise<string[]> =>
    (await host.request('models.list', {})).map(({ name }) => name);

  it('is out of the list, takes its space, and comes back as it was', async () => {
    await host.run({ ...RUN, repeat: 'once' });
    const before = await host.request('models.inspect', { name: 'net' });
    const told = host.event('removed', ([first]) => first?.name === 'net');
    const { bytes } = await remove('net');
    expect(await told).toMatchObject([{ name: 'net', bytes }]);
    expect(bytes).toBeGreaterThan(before.storeBytes);
    expect(await names()).not.toContain('net');
    await expect(host.run(RUN)).rejects.toMatchObject({ code: 'not-found' });

    expect(await host.request('models.removed', {})).toMatchObject([{ name: 'net' }]);
    expect(await host.request('models.restore', { name: 'net' })).toMatchObject({
      name: 'net',
      state: 'ready',
    });
    expect(await host.request('models.removed', {})).toEqual([]);
    expect(existsSync(aside())).toBe(false);
    expect(await host.request('models.inspect', { name: 'net' })).toEqual(before);
    expect(await host.run(RUN)).toMatchObject({ state: 'done' });
  });

  it('is gone with the next removal, and can not be put back over another of its name', async () => {
    for (const name of ['one', 'two']) await host.request('models.import', importing(name));
    await remove('one');
    await remove('two');
    await expect(host.request('models.restore', { name: 'one' })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('Import it again') as string,
    });
    await host.request('models.import', importing('two'));
    await expect(host.request('models.restore', { name: 'two' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await host.request('models.removed', {})).toMatchObject([{ name: 'two' }]);
    await host.request('models.discardRemoved', {});
    expect(existsSync(aside())).toBe(false);
    await remove('two');
    await host.request('models.discardRemoved', {});
  });

  it('gives its space back when the engine was killed before the undo ended', async () => {
    await host.request('models.import', importing('killed'));
    await remove('killed');
    expect(readdirSync(aside())).toHaveLength(1);
    await host.kill();
    host = await HostProcess.start(join(folder, 'data'));
    expect(existsSync(aside())).toBe(false);
    expect(await names()).toEqual(['net']);
  });
});

describe('an engine that was killed', () => {
  it('remembers the budget and its runs; the one that was going on has failed', async () => {
    await host.request('budget.set', { limitBytes: 1e9 });
    const { runId } = await host.request('runs.start', { ...RUN, repeat: 'continuous' });
    await host.event('result', (payload) => payload.runId === runId);
    await host.kill();
    host = await HostProcess.start(join(folder, 'data'));
    const runs = await host.request('runs.list', {});
    expect(runs[0]).toMatchObject({
      id: runId,
      state: 'failed',
      hasTrace: false,
      error: { code: 'engine-down' },
    });
    expect(runs.length).toBeGreaterThan(3);
    expect(await host.request('budget.get', {})).toMatchObject({ limitBytes: 1e9, holders: [] });
    expect(await host.run(RUN)).toMatchObject({ state: 'done' });
  });

  it('in the middle of an import has nothing of it, and can import it', async () => {
    const request = importing('halfway');
    // Rejected only with the socket, which nobody waits for.
    void host.request('models.import', request);
    await host.event('job', ({ id, phase }) => id === request.jobId && phase !== 'start');
    await host.kill();
    host = await HostProcess.start(join(folder, 'data'));
    expect((await host.request('models.list', {})).map(({ name }) => name)).toEqual(['net']);
    expect(await host.request('models.import', importing('halfway'))).toMatchObject({ state: 'ready' });
  });
});
