import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import type { FleetBox } from '../../contract';
import { SimulatedBox } from '../bench-fleet/simulated-box';
import { EventBus } from '../event-bus';
import { systemClock } from '../host-clock';
import { Jobs } from '../jobs';
import { FLEET_TIMES } from './fleet-times';
import type { Fleet } from './fleet';
import { startFleet } from './start-fleet';
import type { FleetService } from './start-fleet';

const NO_MODELS = {
  summary: () => {
    throw new SluiceError('not-found', 'no models here');
  },
  inspect: () => Promise.reject(new Error('no models here')),
  sourcePath: () => '',
};
const VERSION = '1.2.3';
const TOKEN = 'secret-of-the-box';

let folder: string;
let service: FleetService;
let fleet: Fleet;
let bus: EventBus;
let log: string[];
let boxes: SimulatedBox[];
let told: { changed: readonly FleetBox[]; removed: readonly string[] }[];

function open(env: NodeJS.ProcessEnv = {}): FleetService {
  const times = { ...FLEET_TIMES, helloMs: 500, pingMs: 100 };
  return startFleet({
    dataDir: folder,
    appRoot: folder,
    version: VERSION,
    models: NO_MODELS,
    jobs: new Jobs(bus, systemClock),
    resumesPushes: true,
    bus,
    env,
    log: (line) => log.push(line),
    times,
  });
}

async function box(
  answers: Readonly<Record<string, (input: unknown) => unknown>> = {},
): Promise<SimulatedBox> {
  const started = await SimulatedBox.start({ index: boxes.length, version: VERSION, token: TOKEN, answers });
  boxes.push(started);
  return started;
}

const viewOf = (id: string): FleetBox => fleet.list().find((each) => each.id === id)!;
const stateOf = (id: string): string => viewOf(id).state;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-fleet-'));
  log = [];
  boxes = [];
  told = [];
  bus = new EventBus();
  bus.subscribe((message) => {
    if (message.event === 'fleet') told.push(message.payload);
  });
  service = open();
  fleet = service.boxes;
});
afterEach(async () => {
  await service.close();
  await Promise.all(boxes.map((each) => each.close()));
  rmSync(folder, { recursive: true, force: true });
});

describe('a box', () => {
  it('comes online and tells its figures while somebody looks', async () => {
    const host = await box();
    const { id } = fleet.add({ url: `${host.url}/?token=${TOKEN}` });
    await expect.poll(() => stateOf(id)).toBe('online');
    expect(viewOf(id)).toMatchObject({ name: `127.0.0.1:${host.port}`, url: host.url });
    expect(viewOf(id).figures).toBeUndefined();
    expect(host.isWatched).toBe(false);

    const end = fleet.watch();
    await expect.poll(() => viewOf(id).figures?.cpuPct).toBeGreaterThan(0);
    await expect.poll(() => viewOf(id).roundTripMs).toBeGreaterThan(0);
    expect(viewOf(id).figures).toMatchObject({ hostname: 'box-0', runsGoing: 1, budgetUsedBytes: 2098152 });
    end();
    await expect.poll(() => host.isWatched).toBe(false);
  });

  it('keeps its last figures while it is away, and comes back', async () => {
    const host = await box();
    const { id } = fleet.add({ url: host.url, token: TOKEN, name: 'kitchen' });
    fleet.watch();
    await expect.poll(() => viewOf(id).figures).toBeDefined();
    const { port } = host;
    await host.close();
    await expect.poll(() => stateOf(id)).toBe('offline');
    expect(viewOf(id)).toMatchObject({ reason: expect.stringContaining('ECONNREFUSED') as string });
    expect(viewOf(id).figures).toBeDefined();
    await expect(fleet.ask(id, 'models.list', {})).rejects.toMatchObject({ code: 'engine-down' });
    boxes = [await SimulatedBox.start({ index: 7, version: VERSION, token: TOKEN }, port)];
    await expect.poll(() => viewOf(id).figures?.hostname, { timeout: 10_000 }).toBe('box-7');
  });

  it('is refused with a wrong token, until another is entered', async () => {
    const host = await box();
    const { id } = fleet.add({ url: host.url, token: 'wrong' });
    await expect.poll(() => stateOf(id)).toBe('refused');
    expect(viewOf(id).reason).toContain('does not take this token');
    fleet.retry(id, TOKEN, undefined);
    await expect.poll(() => stateOf(id)).toBe('online');
  });

  it('answers requests, and its errors come back as they are', async () => {
    const host = await box({
      'models.inspect': () => {
        throw Object.assign(new Error('x'), { code: 'odd' });
      },
    });
    const { id } = fleet.add({ url: host.url, token: TOKEN });
    await expect.poll(() => stateOf(id)).toBe('online');
    expect(await fleet.ask(id, 'device.info', {})).toMatchObject({ hostname: 'box-0' });
    await expect(fleet.ask(id, 'models.inspect', { name: 'm' })).rejects.toMatchObject({
      code: 'internal',
      message: 'x',
    });
    await expect(fleet.ask(id, 'fleet.list', {})).rejects.toMatchObject({ code: 'bad-input' });
    await expect(fleet.ask('nobody', 'models.list', {})).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is heard by those who follow it, over its absence', async () => {
    const host = await box();
    const { id } = fleet.add({ url: host.url, token: TOKEN });
    const heard: string[] = [];
    const end = fleet.follow(id, (event) => heard.push(event));
    await expect.poll(() => heard).toContain('telemetry');
    host.emit('labChange', { parts: ['runs'] });
    await expect.poll(() => heard).toContain('labChange');
    host.drop();
    heard.length = 0;
    await expect.poll(() => heard, { timeout: 5000 }).toContain('telemetry');
    end();
    await expect.poll(() => host.isWatched).toBe(false);
  });

  it('of another version is refused', async () => {
    const host = await box({ 'engine.info': () => ({ version: '2.0.0', threads: 1, dataDir: '/d' }) });
    const { id } = fleet.add({ url: host.url, token: TOKEN });
    await expect.poll(() => stateOf(id)).toBe('refused');
    expect(viewOf(id).reason).toContain('2.0.0');
  });
});

describe('what is remembered', () => {
  it('holds no token, and asks for it again', async () => {
    const host = await box();
    const { id } = fleet.add({ url: host.url, token: TOKEN });
    await expect.poll(() => stateOf(id)).toBe('online');
    await service.close();
    expect(readFileSync(join(folder, 'fleet.json'), 'utf8')).not.toContain(TOKEN);
    service = open();
    fleet = service.boxes;
    await expect.poll(() => stateOf(id)).toBe('refused');
    expect(viewOf(id).reason).toBe('Its token must be entered again.');
    fleet.adoptTokens({ [`box:${id}`]: TOKEN });
    await expect.poll(() => stateOf(id)).toBe('online');
  });
});
