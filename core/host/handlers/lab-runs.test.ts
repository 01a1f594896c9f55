import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import type { LabRunRow, RequestInput, RequestName, RequestOutput } from '../../contract';
import { DEFAULT_LIMITS } from '../../serving';
import { dispatch } from '../dispatch';
import { LabApi } from '../lab/connection/lab-api';
import { serveLab, type ServedLab } from '../lab/connection/open-lab';
import type { Services } from '../services';
import { PLAIN_CLIENT } from '../test-support/plain-client';

/** A program as users write them: logs to its run, keeps a checkpoint, and writes what it does. */
const PROGRAM = `
const { MLFLOW_TRACKING_URI: url, MLFLOW_RUN_ID: run_id, MLFLOW_EXPERIMENT_ID: experiment } = process.env;
const [, rate = '0.1', ...rest] = process.argv.slice(2);
const post = (what, body) => fetch(url + '/api/2.0/mlflow/runs/' + what, { method: 'POST', body: JSON.stringify(body) });
const metrics = Array.from({ length: 500 }, (_, step) => ({ key: 'loss', value: 1 / (step + 1), step, timestamp: 1000 + step }));
await post('log-batch', { run_id, metrics, params: [{ key: 'lr', value: rate }], tags: [{ key: 'team', value: 'édge' }] });
await post('log-metric', { run_id, key: 'odd', value: 'NaN', timestamp: 1, step: 0 });
await fetch(url + '/api/2.0/mlflow-artifacts/artifacts/' + experiment + '/' + run_id + '/artifacts/checkpoints/500.txt', { method: 'PUT', body: 'weights of ' + rate });
console.log('größe ' + rate + ' €' + rest.join('|'));
if (rest.includes('wait')) setInterval(() => undefined, 1000);
if (rest.includes('fail')) process.exit(3);
`;

let root: string;
let served: ServedLab;
let services: Services;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lab-handlers-'));
  const folder = join(root, 'lab');
  served = await serveLab(
    { folder, totals: { cpus: 2, gpus: 0, memoryBytes: 2 ** 32 }, onFault: () => undefined },
    { host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS },
  );
  const { url, token } = served.address;
  const api = new LabApi(url, token, 'ann');
  services = {
    lab: () => Promise.resolve({ api: () => Promise.resolve(api) }),
  } as unknown as Services;
  mkdirSync(join(root, 'code'));
  writeFileSync(join(root, 'code', 'train.mjs'), PROGRAM);
});
afterAll(async () => {
  await served.close();
  rmSync(root, { recursive: true, force: true });
});

/** As a connection asks. @throws SluiceError. */
async function ask<N extends RequestName>(name: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
  const reply = await dispatch(services, PLAIN_CLIENT, name, input);
  if (!reply.ok) throw SluiceError.fromWire(reply.error);
  return reply.value;
}

function launch(args: string, more: Partial<RequestInput<'lab.launch'>> = {}): Promise<LabRunRow> {
  return ask('lab.launch', { folder: join(root, 'code'), entry: 'train.mjs', args, ...more });
}

/** All that is known of a lab, as the console keeps it. */
class Mirror {
  readonly rows = new Map<string, LabRunRow>();
  private since: string | undefined;

  async update(): Promise<void> {
    const { revision, isWhole, runs, removed } = await ask(
      'lab.runs',
      this.since === undefined ? {} : { since: this.since },
    );
    if (isWhole) this.rows.clear();
    for (const row of runs) this.rows.set(row.runId, row);
    for (const runId of removed) this.rows.delete(runId);
    this.since = revision;
  }

  /** Asks again when the lab says that something has changed. */
  async until(runId: string, fits: (row: LabRunRow) => boolean): Promise<LabRunRow> {
    for (;;) {
      await this.update();
      const row = this.rows.get(runId);
      if (row && fits(row)) return row;
      await new Promise<void>((resolve) => {
        const done = served.lab.runs.watch(() => {
          done();
          clearTimeout(timer);
          resolve();
        });
        const timer = setTimeout(() => {
          done();
          resolve();
        }, 200);
      });
    }
  }

  ended({ runId }: LabRunRow): Promise<LabRunRow> {
    return this.until(runId, ({ endedMs }) => endedMs !== undefined);
  }
}

describe('requests about runs', () => {
  const mirror = new Mirror();
  let first: LabRunRow;
  let failed: LabRunRow;
  let logged: string;

  beforeAll(async () => {
    first = await mirror.ended(await launch("--lr 0.1 'two words'"));
    failed = await mirror.ended(await launch('--lr 0.2 fail', { environment: { SEED: '2' } }));
    const { tracking } = served.lab;
    const { info } = tracking.runs.create({ experimentId: '0', name: 'by hand', userId: 'bob', startMs: 7 });
    tracking.logBatch({
      runId: info.runId,
      metrics: [{ key: 'loss', value: Infinity, step: 0, timestampMs: 0 }],
      params: [{ key: 'constructor', value: 'x' }],
      tags: [{ key: 'mlflow.source.name', value: 'note.ipynb' }],
    });
    logged = info.runId;
    await mirror.update();
  }, 60_000);

  it('gives rows of what was launched and what was logged', () => {
    expect(first).toMatchObject({
      name: 'ann/none/1',
      user: 'ann',
      experiment: 'none',
      state: 'succeeded',
      isLaunched: true,
      program: 'train.mjs --lr 0.1 two words',
      engine: 'local',
      attempt: 1,
      exitCode: 0,
      params: { lr: '0.1' },
      metrics: { loss: 1 / 500, odd: NaN },
      tags: { team: 'édge' },
    });
    expect(failed).toMatchObject({ state: 'failed', exitCode: 3 });
    const row = mirror.rows.get(logged)!;
    expect(row).toEqual({
      runId: logged,
      name: 'by hand',
      user: 'bob',
      experiment: 'Default',
      state: 'logged',
      isLaunched: false,
      createdMs: 7,
      startedMs: 7,
      program: 'note.ipynb',
      params: { constructor: 'x' },
      metrics: { loss: Infinity },
      tags: {},
    });
  });

  it('gives what has changed only', async () => {
    const { revision } = await ask('lab.runs', {});
    expect(await ask('lab.runs', { since: revision })).toEqual({
      revision,
      isWhole: false,
      runs: [],
      removed: [],
    });
    served.lab.tracking.runs.update(logged, { status: 'FINISHED', endMs: 9 });
    expect(await ask('lab.runs', { since: revision })).toMatchObject({
      isWhole: false,
      runs: [{ runId: logged, state: 'succeeded', endedMs: 9 }],
    });
    expect(await ask('lab.runs', { since: 'another.7' })).toMatchObject({ isWhole: true });
  });

  it('finds runs by filters', async () => {
    const found = async (filter: string) => (await ask('lab.findRuns', { filter })).runIds;
    expect(await found('')).toHaveLength(mirror.rows.size);
    expect(await found("metrics.loss < 0.1 and params.lr = '0.1'")).toEqual([first.runId]);
    await expect(found('metrics.loss <')).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('gives the detail of a run', async () => {
    expect(await ask('lab.run', { run: 'ann/none/2' })).toMatchObject({
      runId: failed.runId,
      entry: 'train.mjs',
      args: ['--lr', '0.2', 'fail'],
      environment: { SEED: '2' },
      resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 30 },
      code: { files: 1 },
      forks: [],
      checkpoints: ['checkpoints/500.txt'],
      models: [],
    });
    expect(await ask('lab.run', { run: logged })).toMatchObject({ isLaunched: false, checkpoints: [] });
  });

  it('gives series of several runs, sampled', async () => {
    const runIds = ['f'.repeat(32), failed.runId, first.runId];
    const series = await ask('lab.series', { runIds, key: 'loss', points: 50 });
    expect(series.map(({ runId }) => runId)).toEqual([failed.runId, first.runId]);
    const { step, value, timestampMs } = series[0]!;
    expect(step.length).toBeLessThanOrEqual(50);
    expect([step[0], value[0], timestampMs[0]]).toEqual([0, 1, 1000]);
    expect([step.at(-1), value.at(-1)]).toEqual([499, 1 / 500]);
    const part = { runIds: [first.runId], key: 'loss', points: 50, fromStep: 9.5, toStep: 20 };
    const [one] = await ask('lab.series', part);
    expect(Array.from(one!.step)).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    const [odd] = await ask('lab.series', { runIds: [first.runId], key: 'odd', points: 1 });
    expect(Array.from(odd!.value)).toEqual([NaN]);
  });

  it('gives the log in parts, cut between characters', async () => {
    const text = 'größe 0.1 €two words\n';
    const bytes = Buffer.byteLength(text);
    const whole = await ask('lab.log', { run: 'ann/none/1', offset: 0 });
    expect(whole).toEqual({ text, nextOffset: bytes, bytes, isEnd: true });
    // From within the €, which has three bytes.
    const tail = await ask('lab.log', { run: 'ann/none/1', offset: -12 });
    expect(tail).toMatchObject({ text: 'two words\n', nextOffset: bytes });
    expect(await ask('lab.log', { run: 'ann/none/1', offset: -1000 })).toEqual(whole);
    await expect(ask('lab.log', { run: 'ann/none/1', offset: bytes + 1 })).rejects.toThrow(/past its end/);
    await expect(ask('lab.log', { run: logged, offset: 0 })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('waits for more of a log while the run goes on', async () => {
    const run = await launch('--lr 0.5 wait');
    const part = await ask('lab.log', { run: run.runId, offset: 0, waitMs: 30_000 });
    expect(part).toMatchObject({ text: 'größe 0.5 €wait\n', isEnd: false });
    const last = ask('lab.log', { run: run.runId, offset: part.nextOffset, waitMs: 30_000 });
    const stopped = await ask('lab.stop', { run: run.name, graceMs: 1000 });
    expect(['running', 'stopping', 'stopped']).toContain(stopped.state);
    expect(await last).toMatchObject({ text: '', isEnd: true });
    expect(await mirror.ended(run)).toMatchObject({ state: 'stopped' });
  });

  it('lists artifacts and gives their first bytes', async () => {
    expect(await ask('lab.artifacts', { run: first.runId, path: '' })).toEqual([
      { path: 'checkpoints', isFolder: true, bytes: 0 },
    ]);
    expect(await ask('lab.artifacts', { run: first.runId, path: 'checkpoints' })).toEqual([
      { path: 'checkpoints/500.txt', isFolder: false, bytes: 14 },
    ]);
    const read = (path: string, mostBytes: number) =>
      ask('lab.artifact', { run: 'ann/none/1', path, mostBytes });
    const { mime, bytes, totalBytes } = await read('checkpoints/500.txt', 7);
    expect([mime, Buffer.from(bytes).toString(), totalBytes]).toEqual([
      'text/plain; charset=utf-8',
      'weights',
      14,
    ]);
    expect((await read('checkpoints/500.txt', 100)).bytes).toHaveLength(14);
    expect((await read('checkpoints/500.txt', 0)).bytes).toHaveLength(0);
  });

  it.each([
    '../x',
    'checkpoints/../../x',
    '/etc/passwd',
    'a/./b',
    'a%2fb',
    'a\\b',
    'a\0b',
    'checkpoints/none',
    'checkpoints',
  ])('refuses the artifact %j', async (path) => {
    const refused = ask('lab.artifact', { run: first.runId, path, mostBytes: 10 });
    await expect(refused).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-input|not-found)$/) as string,
    });
  });

  it('tells what two runs do not have in common, what they logged too', async () => {
    expect(await ask('lab.diff', { from: 'ann/none/1', to: failed.runId })).toEqual([
      { what: 'args.--lr', from: '0.1', to: '0.2' },
      { what: 'args.1', from: 'two words', to: 'fail' },
      { what: 'environment.SEED', to: '2' },
      { what: 'params.lr', from: '0.1', to: '0.2' },
    ]);
    expect(await ask('lab.diff', { from: first.runId, to: logged })).toEqual([
      { what: 'params.constructor', to: 'x' },
      { what: 'params.lr', from: '0.1' },
    ]);
  });

  it('forks, resumes and removes', async () => {
    const fork = await ask('lab.fork', { run: first.runId, args: '--lr 0.1', resources: { cpus: 2 } });
    expect(fork).toMatchObject({ name: 'ann/none/4', parent: 'ann/none/1' });
    await mirror.ended(fork);
    expect(await ask('lab.run', { run: fork.runId })).toMatchObject({
      args: ['--lr', '0.1'],
      resources: { cpus: 2, gpus: 0, memoryBytes: 2 ** 30 },
      parentId: first.runId,
      checkpoint: 'checkpoints/500.txt',
    });
    const { forks } = await ask('lab.run', { run: first.runId });
    expect(forks).toEqual([{ runId: fork.runId, name: 'ann/none/4', state: 'succeeded' }]);
    await ask('lab.resume', { run: fork.name });
    await mirror.until(fork.runId, ({ attempt, endedMs }) => attempt === 2 && endedMs !== undefined);
    await ask('lab.remove', { runs: [fork.name, logged] });
    await mirror.update();
    expect([fork.runId, logged].filter((runId) => mirror.rows.has(runId))).toEqual([]);
    await expect(ask('lab.run', { run: fork.runId })).rejects.toMatchObject({ code: 'not-found' });
    await expect(ask('lab.remove', { runs: [logged] })).rejects.toMatchObject({ code: 'not-found' });
    expect(mirror.rows.has(first.runId)).toBe(true);
  });

  it('does not remove what goes on, or what a model was made from', async () => {
    const run = await launch('--lr 0.3 wait');
    await mirror.until(run.runId, ({ state }) => state === 'running');
    await expect(ask('lab.remove', { runs: [run.runId] })).rejects.toThrow(/is running\. Stop it first/);
    await ask('lab.stop', { run: run.runId, graceMs: 0 });
    await mirror.ended(run);
    const { registry } = served.lab;
    registry.models.create('net');
    registry.versions.create({ model: 'net', source: `runs:/${run.runId}/checkpoints`, runId: run.runId });
    expect((await ask('lab.run', { run: run.runId })).models).toEqual([{ model: 'net', version: 1 }]);
    await expect(ask('lab.remove', { runs: [run.runId] })).rejects.toThrow(/model "net" was made from it/);
  });

  it.each<[string, Partial<RequestInput<'lab.launch'>>, RegExp]>([
    ['a program that is not there', { entry: 'none.py' }, /expected a file within/],
    ['an open quote', { args: "'a" }, /args: expected a closing '/],
    ['an unknown engine', { engine: 'moon' }, /no engine "moon"/],
    ['an unknown dataset', { dataset: 'nothing' }, /no dataset "nothing"/],
  ])('refuses to launch %s', async (_what, more, message) => {
    await expect(launch('', more)).rejects.toThrow(message);
  });
});
