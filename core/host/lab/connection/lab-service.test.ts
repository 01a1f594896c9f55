import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { systemClock } from '../../../base';
import type { LabPart, LabStatus } from '../../../contract';
import { isProcessAlive } from '../../../storage';
import { HostProcess } from '../../test-support/host-process';
import { LabService } from './lab-service';
import { readServerFile } from './server-file';

let dataDir: string;
let services: LabService[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-lab-service-'));
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.close()));
  services = [];
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

interface Watched {
  readonly service: LabService;
  readonly statuses: LabStatus[];
  readonly until: (fits: (status: LabStatus) => boolean) => Promise<LabStatus>;
  /** Resolves when that part has changed from now on. */
  readonly untilChange: (part: LabPart) => Promise<void>;
}

/** An engine's side, that tells what it was told. */
function watched(env: Record<string, string> = {}): Watched {
  const statuses: LabStatus[] = [];
  const listeners = new Set<() => void>();
  const changes = new Set<(parts: readonly LabPart[]) => void>();
  const service = new LabService({
    dataDir,
    env: { ...process.env, SLUICE_LAB_URL: '', SLUICE_USER: 'ann', ...env },
    clock: systemClock,
    log: () => undefined,
    pulse: { everyMs: 100, withinMs: 2000 },
    onStatus: (status) => {
      statuses.push(status);
      for (const listener of [...listeners]) listener();
    },
    onChange: (parts) => {
      for (const listener of [...changes]) listener(parts);
    },
  });
  services.push(service);
  return {
    service,
    statuses,
    until: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const status = service.status();
          if (!fits(status)) return;
          listeners.delete(look);
          resolve(status);
        };
        listeners.add(look);
        look();
      }),
    untilChange: (part) =>
      new Promise((resolve) => {
        const look = (parts: readonly LabPart[]): void => {
          if (!parts.includes(part)) return;
          changes.delete(look);
          resolve();
        };
        changes.add(look);
      }),
  };
}

const folder = (): string => join(dataDir, 'lab');
const rowSchema = z.object({ metrics: z.record(z.string(), z.number()) });
const runSchema = z.object({ runId: z.string(), state: z.string() });

function serverMark(): string {
  return z.object({ mark: z.string() }).parse(JSON.parse(readFileSync(join(folder(), 'server.json'), 'utf8')))
    .mark;
}

function signalServer(signal: NodeJS.Signals): void {
  process.kill(Number(serverMark().split('-')[0]), signal);
}

/** Logs to its run when a file is there. */
function programUntil(file: string): string {
  return `
import { existsSync } from 'node:fs';
const { MLFLOW_TRACKING_URI: url, MLFLOW_RUN_ID: run_id } = process.env;
while (!existsSync(${JSON.stringify(file)})) await new Promise((resolve) => setTimeout(resolve, 50));
const body = JSON.stringify({ run_id, key: 'loss', value: 0.5, timestamp: 1, step: 0 });
const { ok } = await fetch(url + '/api/2.0/mlflow/runs/log-metric', { method: 'POST', body });
process.exit(ok ? 0 : 1);
`;
}

/** The condition of another process: nothing tells of it. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('the lab of an engine', () => {
  it('is off until it is asked for, then runs, and ends with the engine', async () => {
    const { service, statuses } = watched();
    expect(service.status()).toEqual({ state: 'off', isShared: false, user: 'ann' });
    expect(await readServerFile(folder())).toBeUndefined();
    const api = await service.api();
    const address = await readServerFile(folder());
    expect(service.status()).toEqual({
      state: 'ready',
      url: address?.url,
      folder: folder(),
      isShared: false,
      user: 'ann',
    });
    expect(statuses.map(({ state }) => state)).toEqual(['starting', 'ready']);
    expect(await api.get('runs', z.object({ runs: z.array(z.unknown()) }))).toEqual({ runs: [] });
    const mark = serverMark();
    await service.close();
    expect(isProcessAlive(mark)).toBe(false);
  });

  it('is found by a second engine, which takes over when the first has ended', async () => {
    const first = watched();
    const second = watched();
    // Both at once: one of them has to wait for the other's.
    const [one, two] = await Promise.all([first.service.api(), second.service.api()]);
    expect(one.url).toBe(two.url);
    const [owner, guest] = first.service.status().isShared ? [second, first] : [first, second];
    expect(owner.service.status()).toMatchObject({ state: 'ready', isShared: false });
    expect(guest.service.status()).toMatchObject({ state: 'ready', isShared: true });
    await owner.service.close();
    await guest.until(({ state }) => state === 'off');
    await guest.service.api();
    expect(guest.service.status()).toMatchObject({ state: 'ready', isShared: false });
  });

  it('is started again when its server was killed, but not for ever', async () => {
    const { service, until: untilStatus } = watched();
    for (let time = 1; time <= 3; time += 1) {
      await service.api();
      signalServer('SIGKILL');
      const { error } = await untilStatus(({ state }) => state === 'failed');
      expect(error).toMatchObject({ code: 'unavailable', message: /^The lab's server ended by SIGKILL \(/ });
    }
    await expect(service.api()).rejects.toThrow(/ended 3 times within a minute/);
    expect(service.status()).toMatchObject({ state: 'failed' });
    expect(await service.start()).toMatchObject({ state: 'ready' });
  });

  it('that hangs is told of, refuses what is asked, and is used again when it answers', async () => {
    const { service, until: untilStatus, untilChange } = watched();
    const { url } = await service.api();
    const api = await service.api();
    signalServer('SIGSTOP');
    // It was under way: this takes as long as the lab needs, so it has no deadline of its own.
    const asked = api.get('runs', z.unknown());
    const { error, isShared } = await untilStatus(({ state }) => state === 'failed');
    expect({ error, isShared }).toMatchObject({
      error: { code: 'timeout', message: expect.stringContaining('has not answered for 2 s') as string },
      isShared: false,
    });
    await expect(asked).rejects.toMatchObject({ code: 'timeout', details: { url, silentMs: 2000 } });
    await expect(service.api()).rejects.toMatchObject({ code: 'timeout' });
    signalServer('SIGCONT');
    await untilStatus(({ state }) => state === 'ready');
    expect((await service.api()).url).toBe(url);
    const told = untilChange('runs');
    await fetch(`${url}/api/2.0/mlflow/runs/create`, { method: 'POST', body: '{}' });
    await told;
  });

  it('that hangs for good is ended and started again when that is asked for', async () => {
    const { service, until: untilStatus } = watched();
    await service.api();
    const mark = serverMark();
    signalServer('SIGSTOP');
    await untilStatus(({ state }) => state === 'failed');
    expect(await service.start()).toMatchObject({ state: 'ready', isShared: false });
    expect(isProcessAlive(mark)).toBe(false);
    expect(serverMark()).not.toBe(mark);
    await service.api();
  });

  it('is not taken for gone by an engine that finds it hanging, which takes it when it answers', async () => {
    const first = watched();
    await first.service.api();
    const mark = serverMark();
    signalServer('SIGSTOP');
    const second = watched();
    await expect(second.service.api()).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining(
        `(process ${Number.parseInt(mark, 10)}) is there and does not answer`,
      ) as string,
    });
    signalServer('SIGCONT');
    expect(await second.until(({ state }) => state === 'ready')).toMatchObject({ isShared: true });
    expect(serverMark()).toBe(mark);
  });

  it('tells of changes', async () => {
    const { service, untilChange } = watched();
    const api = await service.api();
    const told = untilChange('runs');
    // A program that tracks itself.
    const answer = await fetch(`${api.url}/api/2.0/mlflow/runs/create`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(200);
    await told;
  });

  it('ends when the engine is killed, while runs go on and are found again', async () => {
    vi.stubEnv('SLUICE_LAB_URL', '');
    const engine = await HostProcess.start(dataDir);
    try {
      expect(await engine.request('lab.start', {})).toMatchObject({ state: 'ready', isShared: false });
      const mark = serverMark();
      const { service } = watched();
      const api = await service.api();
      expect(service.status()).toMatchObject({ isShared: true });
      const code = join(dataDir, 'code');
      mkdirSync(code);
      const go = join(dataDir, 'go');
      writeFileSync(join(code, 'train.mjs'), programUntil(go));
      const plan = {
        folder: code,
        entry: 'train.mjs',
        args: [],
        environment: {},
        resources: { cpus: 1, gpus: 0, memoryBytes: 2 ** 28 },
        engine: 'local',
        priority: 0,
      };
      const { runId } = await api.send('POST', 'runs', plan, runSchema);
      await until(async () => (await api.get(`runs/${runId}`, runSchema)).state === 'running');
      await engine.kill();
      await until(() => !isProcessAlive(mark));
      const next = await service.api();
      // Where the program looks for it.
      expect(next.url).toBe(api.url);
      expect(await next.get(`runs/${runId}`, runSchema)).toMatchObject({ state: 'running' });
      writeFileSync(go, '');
      await until(async () => (await next.get(`runs/${runId}`, runSchema)).state === 'succeeded');
      expect(await next.get(`rows/${runId}`, rowSchema)).toMatchObject({ metrics: { loss: 0.5 } });
    } finally {
      vi.unstubAllEnvs();
      await engine.stop();
    }
  });

  it('listens elsewhere where its port was taken meanwhile', async () => {
    const { service } = watched();
    const { url } = await service.api();
    await service.close();
    const { port } = new URL(url);
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(Number(port), '127.0.0.1', resolve));
    try {
      const next = await watched().service.api();
      expect(new URL(next.url).port).not.toBe(port);
    } finally {
      squatter.close();
    }
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a lab that can not be reached', { SLUICE_LAB_URL: 'http://127.0.0.1:9' }, /can't be reached/],
    ['a Node that is none', { SLUICE_NODE: '/bin/false' }, /SLUICE_NODE names \/bin\/false, which does not/],
  ])('fails clearly with %s', async (_what, env, message) => {
    const { service } = watched(env);
    const status = await service.start();
    expect(status.state).toBe('failed');
    expect(status.error?.message).toMatch(message);
  });
});
