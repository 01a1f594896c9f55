import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { FleetBox, FleetPush } from '../../contract';
import { writeZooModel, zooNetwork } from '../../zoo';
import { HostProcess } from '../test-support/host-process';
import { runCli } from '../test-support/run-cli';
import { StandingHost } from '../test-support/standing-host';

const BOXES = 5;
/** Real engines on a busy machine of two cores. */
const SOON = { timeout: 60_000, interval: 200 };

let folder: string;
let engine: HostProcess;
let hosts: StandingHost[];
let ids: string[];

const listed = (): Promise<readonly FleetBox[]> => engine.request('fleet.list', {});
async function viewOf(at: number): Promise<FleetBox> {
  return (await listed()).find(({ id }) => id === ids[at])!;
}
const stateOf = async (at: number): Promise<string> => (await viewOf(at)).state;
async function pushOf({ id }: FleetPush): Promise<Readonly<Record<string, string>>> {
  const push = (await engine.request('fleet.pushes', {})).find((each) => each.id === id);
  return Object.fromEntries((push?.boxes ?? []).map((each) => [ids.indexOf(each.box), each.state]));
}
const everywhere = (state: string): Readonly<Record<string, string>> =>
  Object.fromEntries(ids.map((_, at) => [at, state]));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-five-'));
  hosts = await Promise.all(
    Array.from({ length: BOXES }, (_, at) => StandingHost.start(join(folder, `box-${at}`))),
  );
  engine = await HostProcess.start(join(folder, 'engine'));
  await writeZooModel(zooNetwork('tiny-cnn'), join(folder, 'net.onnx'), { seed: 1, weights: 'inline' });
  await engine.request('models.import', { jobId: 'net', path: join(folder, 'net.onnx') });
  ids = [];
  for (const [at, { url, token }] of hosts.entries()) {
    ids.push((await engine.request('fleet.add', { name: `box ${at}`, url, token })).id);
  }
}, 180_000);
afterAll(async () => {
  await engine.stop();
  await Promise.all(hosts.map((host) => host.stop()));
  rmSync(folder, { recursive: true, force: true });
});

describe('five hosts on one machine', () => {
  it('show in one overview', async () => {
    await expect
      .poll(() => Promise.all(ids.map((_, at) => stateOf(at))), SOON)
      .toEqual(ids.map(() => 'online'));
    await expect
      .poll(async () => (await listed()).map(({ figures }) => (figures?.memUsedBytes ?? 0) > 0), SOON)
      .toEqual(ids.map(() => true));
    const { figures, roundTripMs } = await viewOf(0);
    expect(figures).toMatchObject({ version: hosts[0]?.version, models: [], runsGoing: 0, alerts: [] });
    expect(roundTripMs).toBeGreaterThan(0);
  }, 120_000);

  it('take a model while one of them is away, which gets it when it comes back', async () => {
    await hosts[4]?.kill();
    await expect.poll(() => stateOf(4), SOON).toBe('offline');
    const push = await engine.request('fleet.push', { model: 'net', boxes: ids });
    await expect.poll(() => pushOf(push), SOON).toEqual({ ...everywhere('done'), 4: 'waiting' });
    await hosts[4]?.startAgain();
    await expect.poll(() => pushOf(push), SOON).toEqual(everywhere('done'));
    for (const id of ids) {
      const models = await engine.request('fleet.ask', { box: id, request: 'models.list', input: {} });
      expect(models).toMatchObject([{ name: 'net', state: 'ready' }]);
    }
    await expect
      .poll(async () => (await viewOf(4)).figures?.models.map(({ name }) => name), SOON)
      .toEqual(['net']);

    const again = await engine.request('fleet.push', { model: 'net', boxes: ids });
    await expect.poll(() => pushOf(again), SOON).toEqual(everywhere('done'));
    const ended = (await engine.request('fleet.pushes', {})).find(({ id }) => id === again.id);
    expect(ended?.boxes.map(({ sentBytes }) => sentBytes)).toEqual(ids.map(() => 0));
  }, 180_000);

  it('run what they are asked to, and are heard doing it', async () => {
    const box = ids[0]!;
    await engine.request('fleet.follow', { box, on: true });
    const ended = engine.event('fleetTold', (told) => told.event === 'run' && told.payload.state === 'done');
    const input = { model: 'net', input: { kind: 'random', seed: 1 }, mode: 'resident', repeat: 'once' };
    await engine.request('fleet.ask', { box, request: 'runs.start', input });
    expect(await ended).toMatchObject({ box, event: 'run' });
    await engine.request('fleet.follow', { box, on: false });
    await expect(
      engine.request('fleet.ask', { box, request: 'models.inspect', input: { name: 'no' } }),
    ).rejects.toMatchObject({
      code: 'not-found',
    });
  }, 60_000);

  it('that hang are noticed', async () => {
    hosts[1]?.signal('SIGSTOP');
    await expect.poll(async () => (await viewOf(1)).reason ?? '', SOON).toContain('hangs');
    hosts[1]?.signal('SIGCONT');
    await expect.poll(() => stateOf(1), SOON).toBe('online');
  }, 120_000);

  it('that made another token refuse the old one', async () => {
    const { id } = await viewOf(2);
    const refused = await engine.request('fleet.retry', { box: id, token: 'guess' });
    expect(refused.state).toBe('connecting');
    await expect.poll(() => stateOf(2), SOON).toBe('refused');
    await engine.request('fleet.retry', { box: id, token: hosts[2]!.token });
    await expect.poll(() => stateOf(2), SOON).toBe('online');
  }, 120_000);

  it('are seen by the command line, which says when one is away', async () => {
    await engine.stop();
    const data = join(folder, 'engine');
    const tokens = Object.fromEntries(hosts.map(({ token }, at) => [`box ${at}`, token]));
    writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens));
    vi.stubEnv('SLUICE_FLEET_TOKENS_FILE', join(folder, 'tokens.json'));
    const pushed = await runCli(data, ['fleet', 'push', 'net', '--to', 'box 0,box 1', '--json']);
    expect(pushed.json()).toMatchObject({ boxes: [{ state: 'done' }, { state: 'done' }] });
    expect(await runCli(data, ['fleet', 'status'])).toMatchObject({ code: 0 });
    await hosts[3]?.kill();
    const { code, stdout } = await runCli(data, ['fleet', 'status']);
    expect({ code, stdout }).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("box 3: Can't be reached") as string,
    });
    vi.unstubAllEnvs();
  }, 120_000);

  it('are remembered without their tokens', async () => {
    await engine.stop();
    engine = await HostProcess.start(join(folder, 'engine'));
    const reasons = (await listed()).map(({ state, reason }) => `${state}: ${reason ?? ''}`);
    expect(reasons).toEqual(ids.map(() => 'refused: Its token must be entered again.'));
  }, 60_000);
});
