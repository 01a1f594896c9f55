import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { JobStatus } from '../job-engine';
import {
  makeGround,
  openEngine,
  processesOf,
  shellJob,
  supervisorPid,
  until,
  untilStatus,
  type JobGround,
} from '../test-support/job-fixtures';

import type { LocalEngine } from './local-engine';

let ground: JobGround;
let engine: LocalEngine;

beforeEach(async () => {
  ground = makeGround();
  engine = await openEngine(ground);
});
afterEach(async () => {
  await engine.close();
  expect(processesOf(ground)).toEqual([]);
  ground.remove();
});

const logText = (): string => readFileSync(join(ground.root, 'log.txt'), 'utf8');
const isRunning = ({ state, startedMs }: JobStatus): boolean =>
  state === 'running' && startedMs !== undefined;

describe('jobs that go wrong', () => {
  it.each<[what: string, script: string, wanted: object]>([
    ['nothing', 'exit 0', { state: 'succeeded', exitCode: 0 }],
    ['a failure', 'exit 7', { state: 'failed', exitCode: 7, reason: 'ended with exit code 7' }],
    ['a signal', 'kill -SEGV $$', { state: 'failed', signal: 'SIGSEGV', reason: 'ended by SIGSEGV' }],
    [
      'a child that outlives it',
      'sleep 1000 & exit 0',
      { state: 'succeeded', reason: '1 of its processes outlived it and was ended' },
    ],
    [
      'children in sessions of their own that ignore SIGTERM',
      `trap "" TERM; setsid sleep 1000 & setsid sh -c 'setsid sleep 1000 & sleep 1000' & exit 3`,
      { state: 'failed', exitCode: 3 },
    ],
  ])('%s', async (_what, script, wanted) => {
    await engine.submit('job', shellJob(ground, script));
    expect(await untilStatus(engine, 'job')).toMatchObject({ node: 'here', ...wanted });
  });

  it('more memory than it asked for', async () => {
    const eat = 'const all = []; setInterval(() => all.push(Buffer.alloc(2 ** 23, 1)), 5)';
    const resources = { cpus: 1, gpus: 0, memoryBytes: 2 ** 27 };
    await engine.submit('job', shellJob(ground, '', { command: [process.execPath, '-e', eat], resources }));
    const status = await untilStatus(engine, 'job');
    expect(status).toMatchObject({ state: 'failed', signal: 'SIGKILL' });
    expect(status.reason).toMatch(
      /^it used \d+ MiB of memory, more than the 128 MiB it asked for; ask for more$/,
    );
  });

  it('a folder that goes while its program runs: its supervisor ends with the program', async () => {
    await engine.submit('gone', shellJob(ground, 'while [ -e jobs/gone ]; do sleep 0.05; done'));
    await untilStatus(engine, 'gone', isRunning);
    const supervisor = supervisorPid(ground, 'gone');
    rmSync(join(ground.root, 'jobs', 'gone'), { recursive: true });
    await until(() => !existsSync(`/proc/${supervisor}`));
  });

  it('100 MB of log', async () => {
    await engine.submit('job', shellJob(ground, 'head -c 100000000 /dev/zero; echo done >&2'));
    expect(await untilStatus(engine, 'job')).toMatchObject({ state: 'succeeded' });
    expect(statSync(join(ground.root, 'log.txt')).size).toBe(100_000_005);
  });

  it.each<[string, (path: string) => void, RegExp]>([
    [
      'a program that is not there',
      () => undefined,
      /The program ".\/program" was not found: looked in .*program/,
    ],
    ['no permission', (path) => writeFileSync(path, 'exit', { mode: 0o644 }), /may not be run.*chmod \+x/],
  ])('refuses %s', async (_what, make, message) => {
    make(join(ground.work, 'program'));
    await expect(engine.submit('job', shellJob(ground, '', { command: ['./program'] }))).rejects.toThrow(
      message,
    );
    expect(await engine.statuses(['job'])).toEqual(new Map());
  });

  it('tells of a program that cannot be started after all', async () => {
    writeFileSync(join(ground.work, 'program'), '#!/no/such/interpreter\n', { mode: 0o755 });
    await engine.submit('job', shellJob(ground, '', { command: ['./program'] }));
    const status = await untilStatus(engine, 'job');
    expect(status).toMatchObject({ state: 'failed', reason: expect.stringMatching(/interpreter/) as string });
  });
});

describe('stop', () => {
  it('asks first, and kills what ignores it', async () => {
    const script = `trap 'echo asked; exit 5' TERM; (trap "" TERM; while :; do sleep 0.1; done) & echo up; while :; do sleep 0.05; done`;
    await engine.submit('job', shellJob(ground, script));
    await until(() => existsSync(join(ground.root, 'log.txt')) && logText().includes('up'));
    await engine.stop('job', 300);
    expect(await untilStatus(engine, 'job')).toMatchObject({
      state: 'stopped',
      exitCode: 5,
      reason: 'stopped on request',
    });
    expect(logText()).toContain('asked');
  });

  it('ends one that waits, before it began', async () => {
    const all = { cpus: 4, gpus: 0, memoryBytes: 2 ** 20 };
    await engine.submit(
      'first',
      shellJob(ground, 'sleep 1000', { resources: { ...all, memoryBytes: 2 ** 28 } }),
    );
    await engine.submit('second', shellJob(ground, 'touch never', { resources: all }));
    expect((await engine.statuses(['second'])).get('second')).toMatchObject({
      state: 'queued',
      reason: 'waits for 4 CPUs',
    });
    await engine.stop('second', 0);
    expect(await untilStatus(engine, 'second')).toMatchObject({ state: 'stopped' });
    await engine.stop('first', 0);
    await untilStatus(engine, 'first');
    expect(existsSync(join(ground.root, 'never'))).toBe(false);
  });
});

describe('what is kept of jobs', () => {
  it('is cleared of those that have ended, and of no other', async () => {
    await engine.submit('ended', shellJob(ground, 'exit 0'));
    await untilStatus(engine, 'ended');
    await engine.submit('open', shellJob(ground, 'sleep 1000'));
    await untilStatus(engine, 'open', isRunning);
    expect([...(await engine.kept())].sort()).toEqual(['ended', 'open']);
    expect(await engine.clear('open')).toBe(0);
    expect(await engine.clear('never')).toBe(0);
    expect(await engine.clear('ended')).toBeGreaterThan(0);
    expect(await engine.kept()).toEqual(['open']);
    expect(await engine.statuses(['ended'])).toEqual(new Map());
    await engine.stop('open', 0);
    expect(await untilStatus(engine, 'open')).toMatchObject({ state: 'stopped' });
  });

  it('leaves nothing when whoever made or cleared it was killed meanwhile', async () => {
    await engine.close();
    for (const name of ['.new-0a', '.old-0b']) {
      mkdirSync(join(ground.jobs, name));
      writeFileSync(join(ground.jobs, name, 'job.json'), '{');
    }
    engine = await openEngine(ground);
    expect(readdirSync(ground.jobs)).toEqual([]);
  });
});

describe('what a job is given', () => {
  it('a clean environment, threads and GPUs of its own', async () => {
    process.env['SECRET_OF_THE_SERVER'] = 'hidden';
    const resources = { cpus: 2, gpus: 1, memoryBytes: 2 ** 28 };
    const script = 'env; touch $OWN; while [ ! -e go ]; do sleep 0.02; done';
    for (const own of ['one', 'two']) {
      await engine.submit(own, shellJob(ground, script, { resources, environment: { OWN: own } }));
    }
    await until(() => ['one', 'two'].every((own) => existsSync(join(ground.work, own))));
    expect((await engine.nodes())[0]?.free).toEqual({ cpus: 0, gpus: 0, memoryBytes: 2 ** 29 });
    writeFileSync(join(ground.work, 'go'), '');
    await untilStatus(engine, 'one');
    await untilStatus(engine, 'two');
    const gpus = [...logText().matchAll(/^CUDA_VISIBLE_DEVICES=(.*)$/gm)].map(([, ids]) => ids);
    expect(gpus.sort()).toEqual(['0', '1']);
    expect(logText()).toContain('OMP_NUM_THREADS=2');
    expect(logText()).not.toContain('SECRET_OF_THE_SERVER');
    expect((await engine.nodes())[0]?.free.cpus).toBe(4);
  });
});

describe('a server that comes back', () => {
  it('takes up what runs, and runs nothing twice', async () => {
    const script = 'echo ran; while [ ! -e go ]; do sleep 0.02; done; exit 4';
    await engine.submit('job', shellJob(ground, script));
    await untilStatus(engine, 'job', isRunning);
    await engine.close();
    engine = await openEngine(ground);
    await engine.submit('job', shellJob(ground, script));
    expect((await engine.statuses(['job'])).get('job')).toMatchObject({ state: 'running' });
    expect((await engine.nodes())[0]?.free.cpus).toBe(3);
    writeFileSync(join(ground.work, 'go'), '');
    expect(await untilStatus(engine, 'job')).toMatchObject({ state: 'failed', exitCode: 4 });
    expect(logText()).toBe('ran\n');
  });

  it.each(['while it watches', 'while it is away'])(
    'a supervisor killed %s: lost, and nothing left',
    async (when) => {
      await engine.submit('job', shellJob(ground, 'setsid sleep 1000 & sleep 1000'));
      await untilStatus(engine, 'job', isRunning);
      const isAway = when === 'while it is away';
      if (isAway) await engine.close();
      process.kill(supervisorPid(ground, 'job'), 'SIGKILL');
      if (isAway) engine = await openEngine(ground);
      const status = await untilStatus(engine, 'job');
      expect(status).toMatchObject({
        state: 'lost',
        reason: expect.stringMatching(/supervisor was killed/) as string,
      });
    },
  );
});

it('tells of a job that idles', async () => {
  await engine.close();
  engine = await openEngine(ground, { idleAfterMs: 200, sampleMs: 20 });
  await engine.submit('job', shellJob(ground, 'while [ ! -e go ]; do sleep 1; done; while :; do :; done'));
  const idle = await untilStatus(engine, 'job', ({ idleSinceMs }) => idleSinceMs !== undefined);
  expect(idle.idleSinceMs).toBeGreaterThanOrEqual(idle.startedMs!);
  writeFileSync(join(ground.work, 'go'), '');
  await untilStatus(engine, 'job', ({ idleSinceMs }) => idleSinceMs === undefined);
  await engine.stop('job', 0);
  await untilStatus(engine, 'job');
});
