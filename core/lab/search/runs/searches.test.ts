import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { seededRandom, systemClock } from '../../../base';
import { DEFAULT_LIMITS } from '../../../serving';
import { Lab } from '../../lab';
import { LabDatabase } from '../../store/lab-database';
import type { SearchRequest } from './launch-plan';
import type { SearchView } from './searches';

const TOKEN = 'launch-token-of-tests';
const PATIENCE_MS = 110_000;
/** One for all, so that a lab that is opened again gives out other ids. */
const random = seededRandom(5);

let root: string;
let lab: Lab;
let url: string;
let faults: string[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-searches-'));
  mkdirSync(join(root, 'code'));
  mkdirSync(join(root, 'lab'));
  copyFileSync(join(import.meta.dirname, 'test-support', 'train.mjs'), join(root, 'code', 'train.mjs'));
  faults = [];
  await openLab(0);
}, 60_000);
afterEach(async () => {
  for (const { state, runId } of lab.runs.list({ most: 100 })) {
    if (state === 'queued' || state === 'running') lab.runs.stop(runId, 0);
  }
  await vi.waitFor(() => {
    const open = lab.runs.list({ most: 100 }).filter(({ endedMs }) => endedMs === undefined);
    expect(open.map(({ name, state }) => `${name} ${state}`)).toEqual([]);
  }, PATIENCE_MS);
  await lab.close();
  rmSync(root, { recursive: true });
}, 120_000);

async function openLab(wantedPort: number): Promise<void> {
  lab = await Lab.open({
    folder: join(root, 'lab'),
    clock: systemClock,
    random,
    defaultUser: 'ada',
    totals: { cpus: 4, memoryBytes: 2 ** 32 },
    onFault: (message) => faults.push(message),
  });
  const limits = DEFAULT_LIMITS;
  url = await lab.serve({ host: '127.0.0.1', port: wantedPort, limits, launchToken: TOKEN });
}

function request(search: object, { space = {} }: { readonly space?: object } = {}): SearchRequest {
  return {
    search: {
      space: { x: { type: 'float', min: 0, max: 1 }, ...space },
      metric: { name: 'val_acc', direction: 'max' },
      seed: 3,
      parallel: 2,
      ...search,
    },
    trials: {
      folder: join(root, 'code'),
      entry: 'train.mjs',
      args: [],
      environment: {},
      resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 },
      engine: 'local',
      priority: 0,
      resourceArgument: 'resource',
      finishMs: 30_000,
      keepCheckpoints: false,
    },
  };
}

function untilOver(id: string): Promise<SearchView> {
  return vi.waitFor(() => {
    const view = lab.searches.get(id);
    expect(view.state, view.reason).not.toBe('running');
    return view;
  }, PATIENCE_MS);
}

const stepsOf = (runId: string): readonly number[] => {
  const points = lab.tracking.history(runId, 'val_acc');
  return Array.from({ length: points.length }, (_, index) => Number(points.stepAt(index)));
};

describe('searches of runs', { timeout: 120_000 }, () => {
  it('trains each trial of a random search to its end, the given one first', async () => {
    const asked = request({
      algorithm: 'random',
      maxResource: 2,
      budget: 6,
      first: [{ x: 0.7 }],
    });
    const { id } = await lab.searches.create(asked, 'ada');
    const view = await untilOver(id);
    expect(faults).toEqual([]);
    expect(view).toMatchObject({ id: 'search-1', state: 'done', spentResource: 6, trialCount: 3 });
    expect(view.best).toMatchObject({ id: 0, parameters: { x: 0.7 }, best: { resource: 2, metric: 2 / 3 } });
    for (const trial of view.trials) {
      expect(trial).toMatchObject({ pool: 'finished', resource: 2 });
      expect(trial.runs).toHaveLength(1);
      const { args, environment, name } = lab.runs.get(trial.runs[0]!.runId);
      expect(args).toEqual(['--x', String(trial.parameters['x']), '--resource', '2']);
      expect(environment).toMatchObject({ SLUICE_TRIAL: String(trial.id), SLUICE_RESOURCE_UNTIL: '2' });
      expect(name).toBe(`ada/none/${trial.id + 1}`);
      expect(stepsOf(trial.runs[0]!.runId)).toEqual([1, 2]);
    }
  });

  it('gives little training to the bad ones with ASHA; the good ones go on from their checkpoints', async () => {
    const asked = request({
      algorithm: { name: 'asha', minResource: 1, eta: 3 },
      maxResource: 9,
      budget: 90,
      maxTrials: 9,
      first: [{ x: 0.7 }],
    });
    const { id } = await lab.searches.create(asked, 'ada');
    const view = await untilOver(id);
    expect(faults).toEqual([]);
    expect(view.state).toBe('done');
    expect(view.trials.map(({ outcome }) => outcome)).toEqual(view.trials.map(() => undefined));
    expect(view.best).toMatchObject({ id: 0, resource: 9, segments: 3 });
    const [best, ...others] = view.trials;
    const byQuality = [...others].sort((a, b) => distance(a) - distance(b));
    expect(byQuality.at(-1)).toMatchObject({ resource: 1, pool: 'stop' });
    expect(others.filter(({ resource }) => resource === 1).length).toBeGreaterThanOrEqual(3);
    expect(view.spentResource).toBeLessThan(9 * view.trialCount);
    const runs = best!.runs.map(({ runId }) => lab.runs.get(runId));
    expect(runs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(runs.map(({ parent }) => parent?.checkpoint)).toEqual([
      undefined,
      'checkpoints/1.json',
      'checkpoints/3.json',
    ]);
    expect(runs.map(({ runId }) => stepsOf(runId))).toEqual([[1], [2, 3], [4, 5, 6, 7, 8, 9]]);
  });

  it('goes on when the lab was closed in between, and repeats no trial', async () => {
    const gate = join(root, 'gate');
    const asked = request(
      { algorithm: 'random', maxResource: 3, budget: 9 },
      { space: { gate, holdAfter: 1 } },
    );
    const { id } = await lab.searches.create(asked, 'ada');
    await vi.waitFor(() => {
      const { trials } = lab.searches.get(id);
      expect(trials.map(({ resource }) => resource)).toEqual([1, 1]);
    }, PATIENCE_MS);
    const before = lab.searches.get(id).trials.map(({ runs }) => runs[0]?.runId);
    await lab.close();
    writeFileSync(gate, '');
    await openLab(Number(new URL(url).port));
    const view = await untilOver(id);
    expect(faults).toEqual([]);
    expect(view).toMatchObject({ state: 'done', trialCount: 3, spentResource: 9 });
    expect(view.trials.map(({ resource, outcome }) => [resource, outcome])).toEqual([
      [3, undefined],
      [3, undefined],
      [3, undefined],
    ]);
    const runs = view.trials.flatMap((trial) => trial.runs);
    expect(runs.slice(0, 2).map(({ runId }) => runId)).toEqual(before);
    expect(lab.runs.list({ most: 100 })).toHaveLength(3);
    for (const { runId } of runs) {
      expect(stepsOf(runId)).toEqual([1, 2, 3]);
      expect(lab.runs.get(runId).attempt).toBe(1);
    }
  });

  it('takes up a trial whose job was on disk when the server ended, and its run not yet', async () => {
    const gate = join(root, 'gate');
    const asked = request(
      { algorithm: 'random', maxResource: 2, budget: 4 },
      { space: { gate, holdAfter: 1 } },
    );
    const { id } = await lab.searches.create(asked, 'ada');
    await vi.waitFor(() => {
      expect(lab.searches.get(id).spentResource).toBe(2);
    }, PATIENCE_MS);
    await lab.close();
    const database = LabDatabase.open(join(root, 'lab', 'lab.db'), []);
    database.prepare("UPDATE runs_launched SET stage = 'preparing'").run([]);
    database.close();
    writeFileSync(gate, '');
    await openLab(Number(new URL(url).port));
    const view = await untilOver(id);
    expect(view).toMatchObject({ state: 'done', spentResource: 4 });
    expect(lab.runs.list({ most: 100 }).map(({ name, state }) => [name, state])).toEqual([
      ['ada/none/2', 'succeeded'],
      ['ada/none/1', 'succeeded'],
    ]);
  });

  it('is interrupted while the queue takes nothing, and starts the same trials when it goes on', async () => {
    lab.queue.setBudget('ada', { cpuMinutes: 0, gpuMinutes: 0 });
    const asked = request({ algorithm: 'random', maxResource: 1, budget: 2 });
    const { id } = await lab.searches.create(asked, 'ada');
    const refused = await untilOver(id);
    expect(refused.state).toBe('interrupted');
    expect(refused.reason).toMatch(/^ada has used up today's budget of 0 CPU minutes/);
    expect(faults).toHaveLength(1);
    lab.queue.setBudget('ada', undefined);
    lab.searches.resume(id);
    const view = await untilOver(id);
    expect(view).toMatchObject({ state: 'done', spentResource: 2, trialCount: 2 });
    expect(view.trials.map(({ parameters }) => parameters)).toEqual(
      refused.trials.map(({ parameters }) => parameters),
    );
    // Those that were refused never ran, and are gone.
    expect(lab.runs.list({ most: 100 }).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  });

  it('gives up on a program that fails, and says how it did', async () => {
    const asked = request(
      { algorithm: 'random', maxResource: 3, budget: 30, maxFailures: 2, parallel: 1 },
      { space: { broken: true } },
    );
    const { id } = await lab.searches.create(asked, 'ada');
    const view = await untilOver(id);
    expect(view.state).toBe('failed');
    expect(view.reason).toMatch(
      /^2 trials failed one after another. The last one: ada\/none\/2 failed: .*exit code 3/,
    );
    expect(view.trials.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
  });

  it('is asked by HTTP, by those who may launch', async () => {
    const ask = async (method: string, path: string, body?: object, token = TOKEN) => {
      const answer = await fetch(`${url}/api/sluice/searches${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'x-sluice-user': 'grace' },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const asked = request(
      { algorithm: 'random', maxResource: 3, budget: 30 },
      { space: { gate: join(root, 'never'), holdAfter: 1 } },
    );
    expect((await ask('GET', '', undefined, 'wrong')).status).toBe(401);
    const created = await ask('POST', '', { name: 'lr', ...asked });
    expect(created).toMatchObject({
      status: 200,
      body: { id: 'lr', state: 'running', plan: { user: 'grace' } },
    });
    expect(await ask('POST', '', { name: 'lr', ...asked })).toMatchObject({
      status: 400,
      body: { message: 'There is a search "lr" already. Choose another name.' },
    });
    expect(await ask('DELETE', '/lr')).toMatchObject({
      status: 400,
      body: { message: 'The search "lr" is running. Stop it first: sluice lab automl stop lr.' },
    });
    await vi.waitFor(async () => {
      const { body } = await ask('GET', '/lr');
      expect(body).toMatchObject({ spentResource: 2, pools: { live: [0, 1] } });
    }, PATIENCE_MS);
    const stopped = await ask('POST', '/lr/stop');
    expect(stopped).toMatchObject({
      body: {
        state: 'stopped',
        trials: [{ runs: [{ state: 'stopped' }] }, { runs: [{ state: 'stopped' }] }],
      },
    });
    expect(await ask('POST', '/lr/resume')).toMatchObject({ status: 400 });
    expect(await ask('GET', '')).toMatchObject({ body: { searches: [{ id: 'lr', state: 'stopped' }] } });
    expect(await ask('DELETE', '/lr')).toMatchObject({ status: 200 });
    expect(await ask('GET', '/lr')).toMatchObject({ status: 404 });
    expect(faults).toEqual([]);
  });

  it.each<[what: string, change: (asked: SearchRequest) => SearchRequest, message: RegExp]>([
    [
      'a program that is not there',
      (asked) => ({ ...asked, trials: { ...asked.trials, entry: 'no.py' } }),
      /Entry "no\.py": expected a file within/,
    ],
    [
      'parameters outside of the space',
      (asked) => ({ ...asked, search: { ...asked.search, first: [{ x: 2, y: 1 }] } }),
      /first\.0: x: expected a number from 0 to 1, found 2; first\.0: there is no parameter "y"/,
    ],
    [
      'a dataset that is not there',
      (asked) => ({ ...asked, trials: { ...asked.trials, dataset: 'none-such' } }),
      /none-such/,
    ],
  ])('refuses %s, and keeps nothing of it', async (_what, change, message) => {
    const asked = change(request({ algorithm: 'random', maxResource: 1, budget: 1 }));
    await expect(lab.searches.create(asked, 'ada')).rejects.toThrow(message);
    expect(lab.searches.list()).toEqual([]);
  });
});

function distance({ parameters }: { readonly parameters: Readonly<Record<string, unknown>> }): number {
  return Math.abs(Number(parameters['x']) - 0.7);
}
