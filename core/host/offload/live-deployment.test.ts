import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { workerFile } from '../../base';
import type { DecisionRecord, OffloadState } from '../../contract';
import { writeZooModel, zooNetwork } from '../../zoo';
import { DelayingProxy } from '../bench-offload/live/delaying-proxy';
import { HostProcess } from '../test-support/host-process';
import { runCli } from '../test-support/run-cli';

/** Real processes: the console's host, an edge and a cloud, all on one library. */
const TOKEN = 'a-token-of-twenty-characters';
const NETWORKS = ['tiny-mlp', 'tiny-cnn'] as const;

let folder: string;
let data: string;
let host: HostProcess;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-live-'));
  data = join(folder, 'data');
  for (const name of NETWORKS) {
    const path = join(folder, `${name}.onnx`);
    await writeZooModel(zooNetwork(name), path, { seed: 1, weights: 'inline' });
    expect(await runCli(data, ['models', 'import', path, '--name', name])).toMatchObject({ code: 0 });
  }
  writeFileSync(join(folder, 'token'), TOKEN);
  host = await HostProcess.start(data);
  for (const [index, model] of NETWORKS.entries()) {
    await host.request('offload.addVariant', { model, accuracyPct: 80 + 5 * index, source: 'this test' });
  }
}, 120_000);

afterEach(async () => {
  const { pins } = await host.request('offload.stop', {});
  for (const { user } of pins) await host.request('offload.unpin', { user });
  for (const { id } of await host.request('endpoints.list', {}))
    await host.request('endpoints.remove', { id });
});

afterAll(async () => {
  await host.stop();
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function startServer(tier: 'edge' | 'cloud'): Promise<{ url: string; child: ChildProcess }> {
  const args = ['serve', '--tier', tier, '--port', '0', '--token-file', join(folder, 'token'), '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), ...args], {
    env: { ...process.env, SLUICE_DATA_DIR: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: (JSON.parse(chunk.toString('utf8')) as { url: string }).url, child };
}

/** Waits for the first round that `fits`. */
async function round(fits: (record: DecisionRecord) => boolean): Promise<DecisionRecord> {
  const records = await host.event('decisions', (list) => list.some(fits));
  return records.find(fits)!;
}

const isDone = ({ meanResponseMs }: DecisionRecord): boolean => meanResponseMs !== undefined;

/** An edge that answers everything. */
async function pinnedEdge(): Promise<ChildProcess> {
  const { url, child } = await startServer('edge');
  await host.request('endpoints.add', { name: 'e', tier: 'edge', url, token: TOKEN });
  await host.request('offload.configure', { users: 1, thresholdPct: 0, periodMs: 20, explorationCap: 0 });
  await host.request('offload.start', {});
  await host.request('offload.pin', { user: 0, tier: 'edge', variant: 'd0' });
  await round((record) => isDone(record) && record.users[0]!.answeredBy === 'edge');
  return child;
}

describe('a live deployment', () => {
  it('decides, carries out, measures, keeps and explains rounds over real endpoints', async () => {
    const edge = await startServer('edge');
    const cloud = await startServer('cloud');
    const added = await host.request('endpoints.add', {
      name: 'e',
      tier: 'edge',
      url: edge.url,
      token: TOKEN,
    });
    expect(added).toMatchObject({ name: 'e', tier: 'edge', token: 'until-restart', inUse: true });
    expect(added.health).toMatchObject({
      state: 'ready',
      offers: ['d0', 'd1'],
      queueLength: 0,
      link: 'regular',
    });
    await host.request('endpoints.add', { name: 'c', tier: 'cloud', url: cloud.url, token: TOKEN });
    const settings = { users: 2, thresholdPct: 80, periodMs: 0, explorationCap: 1 };
    await host.request('offload.configure', settings);
    await host.request('offload.start', {});
    await host.event('offload', ({ rounds }) => rounds > 60);
    const state = await host.request('offload.stop', {});
    expect(state).toMatchObject({ state: 'idle', settings, answeredElsewhere: 0 });
    expect(state.meanResponseMs).toBeGreaterThan(0);
    expect(state.learnedSteps).toBe(state.rounds);
    expect(state.predictionErrorPct).toBeGreaterThan(0);

    const decisions = await host.request('offload.decisions', { limit: 500 });
    expect(decisions).toHaveLength(state.rounds);
    expect(new Set(decisions.flatMap(({ users }) => users.map(({ tier }) => tier)))).toEqual(
      new Set(['device', 'edge', 'cloud']),
    );
    for (const { users, meanResponseMs, rewardMs, meanAccuracyPct } of decisions) {
      expect(meanAccuracyPct).toBeGreaterThanOrEqual(80);
      expect(users.map(({ answeredBy }) => answeredBy)).toEqual(users.map(({ tier }) => tier));
      expect(rewardMs).toBeCloseTo(-meanResponseMs!);
    }
    const older = await host.request('offload.decisions', { limit: 3, beforeId: decisions[0]!.id });
    expect(older.map(({ id }) => id)).toEqual(decisions.slice(1, 4).map(({ id }) => id));

    // Of attempts beside each other, as a slow machine makes them, the stages are no sum.
    const remote = decisions.find(
      ({ users: [user] }) => user!.tier === 'edge' && user!.failures.length === 0,
    )!;
    const trace = await host.request('offload.trace', { decisionId: remote.id });
    expect(trace.laneNames).toContain('e');
    const laneMs =
      trace.durationUs.reduce((sum, us, index) => sum + (trace.user[index] === 0 ? us : 0), 0) / 1000;
    const [beganUs] = trace.startUs.filter((_, index) => trace.user[index] === 0);
    expect(laneMs + beganUs! / 1000).toBeCloseTo(remote.users[0]!.responseMs!, 6);

    const beliefs = await host.request('offload.beliefs', {});
    expect(beliefs).toHaveLength(2 * 3 * 2);
    expect(beliefs.filter(({ chosen }) => chosen)).toHaveLength(2);
    for (const { predictedMs, measurements, measuredMs } of beliefs) {
      if (predictedMs !== undefined) expect(predictedMs).toBeGreaterThan(0);
      if (measurements > 0) expect(measuredMs).toBeGreaterThan(0);
    }
    const curve = await host.request('offload.curve', {});
    expect(curve.step.at(-1)).toBe(state.rounds);
    const { text } = await host.request('offload.export', { what: 'decisions' });
    expect(text.trim().split('\n')).toHaveLength(state.rounds);
    // What was learned is on disk, and the log replays with the systems it was told.
    const replayed = await runCli(data, [
      'offload',
      'replay',
      '--log',
      join(data, 'offload/decisions.db'),
      '--threshold',
      '80',
      '--json',
    ]);
    expect(replayed.json()).toMatchObject({ decisions: state.rounds });
    expect(await host.request('offload.export', { what: 'checkpoint' })).toMatchObject({
      name: 'factored.checkpoint.json',
    });
  }, 60_000);

  it('leaves an endpoint killed in the middle of a request within one decision, and answers elsewhere', async () => {
    const edge = await pinnedEdge();
    // It takes the request and never answers it, as a machine that is gone.
    edge.kill('SIGSTOP');
    const stuck = await round((record) => isDone(record) && record.users[0]!.failures.length > 0);
    expect(stuck.users[0]).toMatchObject({ tier: 'edge', pinned: true, answeredBy: 'device' });
    edge.kill('SIGKILL');
    await host.request('offload.unpin', { user: 0 });
    const next = await round((record) => record.id > stuck.id && isDone(record) && !record.users[0]!.pinned);
    expect(next.users[0]).toMatchObject({
      tier: 'device',
      pinned: false,
      answeredBy: 'device',
      failures: [],
    });
    const { nodes, answeredElsewhere } = await host.event('offload', (state) =>
      state.nodes.some(({ tier, barred }) => tier === 'edge' && barred !== undefined),
    );
    expect(answeredElsewhere).toBeGreaterThan(0);
    expect(nodes).toHaveLength(3);
    const [gone] = await host.event('endpoints', ([record]) => record?.health.state === 'unreachable');
    expect(gone).toMatchObject({ inUse: false });
  }, 60_000);

  it('comes back to an endpoint that hung and goes on, without a user having to wait for it', async () => {
    const edge = await pinnedEdge();
    edge.kill('SIGSTOP');
    const hung = await round((record) => isDone(record) && record.users[0]!.failures.length > 0);
    edge.kill('SIGCONT');
    const back = await round((record) => record.id > hung.id && record.users[0]!.answeredBy === 'edge');
    expect(back.users[0]!.failures).toEqual([]);
    const between = await host.request('offload.decisions', { limit: 1000 });
    const waited = between.filter(
      ({ id, users }) => id > hung.id && id < back.id && users[0]!.failures.length > 0,
    );
    expect(waited).toEqual([]);
  }, 60_000);

  it('goes on with a slow endpoint where there is no other, and takes the device when the budget allows it', async () => {
    const edge = await startServer('edge');
    const { port } = new URL(edge.url);
    const link = await DelayingProxy.start({ host: '127.0.0.1', port: Number(port) });
    const url = `http://127.0.0.1:${link.port}`;
    await host.request('endpoints.add', { name: 'e', tier: 'edge', url, token: TOKEN });
    await host.request('offload.configure', { users: 1, thresholdPct: 0, periodMs: 20, explorationCap: 0 });
    await host.request('budget.set', { limitBytes: 1 });
    const { variants } = await host.request('offload.state', {});
    expect(variants[0]!.problem).toMatch(/budget/i);
    await host.request('offload.start', {});
    await host.event('offload', ({ rounds }) => rounds > 10);
    link.set({ delayMs: 150 });
    await round((record) => record.users[0]!.failures.some(({ reason }) => reason === 'slow'));
    const slow = await round((record) => isDone(record) && (record.meanResponseMs ?? 0) > 150);
    expect(slow.users[0]).toMatchObject({ tier: 'edge', answeredBy: 'edge' });
    await host.request('budget.set', { limitBytes: 0 });
    const device = await round((record) => isDone(record) && record.users[0]!.tier === 'device');
    expect(device.users[0]).toMatchObject({ answeredBy: 'device' });
    await link.close();
  }, 60_000);

  it('keeps settings, variants, endpoints and what was learned over a restart, and no token on disk', async () => {
    const edge = await startServer('edge');
    const { id } = await host.request('endpoints.add', {
      name: 'e',
      tier: 'edge',
      url: edge.url,
      token: TOKEN,
    });
    await host.request('endpoints.setToken', { id, token: TOKEN, kept: true });
    await host.request('offload.configure', { users: 1, thresholdPct: 80, periodMs: 0 });
    await host.request('offload.start', {});
    await host.event('offload', ({ rounds }) => rounds > 20);
    const before = await host.request('offload.stop', {});
    await host.stop();
    for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name)).includes(TOKEN)).toBe(false);
    }
    host = await HostProcess.start(data);
    const after = await host.request('offload.state', {});
    const { settings, variants } = before;
    expect(after).toMatchObject({ settings, variants, state: 'idle' });
    const [known] = await host.request('endpoints.list', {});
    // A keychain held it; this process was given nothing.
    expect(known).toMatchObject({ id, name: 'e', token: 'missing' });
    expect((await host.request('offload.pauseLearning', { paused: false })).learnedSteps).toBe(
      before.learnedSteps,
    );
    const forgot = await host.request('offload.reset', {});
    expect(forgot).toMatchObject({ learnedSteps: 0, canRestore: true });
    const restored = await host.request('offload.restore', {});
    expect(restored).toMatchObject({ learnedSteps: before.learnedSteps, canRestore: false });
  }, 60_000);

  it('waits while nothing can be chosen and says so; a second process may not run the same deployment', async () => {
    const state: OffloadState = await host.request('offload.start', {});
    expect(state.state).toBe('running');
    const second = await HostProcess.start(data);
    await expect(second.request('offload.start', {})).rejects.toMatchObject({ code: 'conflict' });
    await second.stop();
  }, 60_000);
});

/** [request, input, code, what the message must name] */
const REFUSED = [
  [
    'endpoints.add',
    { name: 'x', tier: 'edge', url: 'ftp://edge' },
    'bad-input',
    /expected http:.*found ftp:/,
  ],
  ['endpoints.add', { name: 'x', tier: 'edge', url: 'edge:8000' }, 'bad-input', /URL: expected http/],
  ['endpoints.add', { name: 'x', tier: 'edge', url: 'http://a:b@edge' }, 'bad-input', /no user or password/],
  ['endpoints.add', { name: ' ', tier: 'edge', url: 'http://edge' }, 'bad-input', /expected a name/],
  [
    'endpoints.add',
    { name: 'x', tier: 'edge', url: 'http://edge', token: 'a b' },
    'bad-input',
    /without spaces/,
  ],
  ['endpoints.test', { id: 'none' }, 'not-found', /no such endpoint/],
  ['endpoints.restore', { id: 'none' }, 'not-found', /gone for good/],
  [
    'offload.configure',
    { agent: 'skynet' },
    'not-found',
    /No agent is called "skynet"; there are .*factored/,
  ],
  ['offload.configure', { users: 0 }, 'bad-input', /users/],
  [
    'offload.addVariant',
    { model: 'tiny-mlp', accuracyPct: 80, source: 's' },
    'conflict',
    /is a variant already/,
  ],
  ['offload.addVariant', { model: 'gone', accuracyPct: 80, source: 's' }, 'not-found', /gone/],
  ['offload.removeVariant', { id: 'd9' }, 'not-found', /No variant is called "d9"/],
  ['offload.pin', { user: 99, tier: 'edge', variant: 'd0' }, 'bad-input', /found user 99/],
  ['offload.pin', { user: 0, tier: 'edge', variant: 'd9' }, 'bad-input', /Pin/],
  ['offload.trace', { decisionId: 123_456 }, 'not-found', /its stages are not kept/],
] as const;

describe('what is refused', () => {
  it.each(REFUSED)('%s %j', async (request, input, code, message) => {
    const error: unknown = await host.request(request, input as never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});
