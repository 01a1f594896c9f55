import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Clock } from '../../../base';
import { LabDatabase } from '../../store/lab-database';
import type { JobSpec } from '../job-engine';
import { FakeEngine } from '../test-support/fake-engine';

import type { JobView } from './job-ledger';
import { JobQueue, type JobQueueOptions, type JobRequest } from './job-queue';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './queue-policy';
import { JOBS_SCHEMA } from './queue-store';

/** Time that passes when the test says so. */
class HandClock implements Clock {
  private waiting: { atMs: number; run: () => void }[] = [];
  constructor(private ms: number) {}

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.ms + delayMs, run };
    this.waiting.push(entry);
    return () => (this.waiting = this.waiting.filter((other) => other !== entry));
  }

  pass(ms: number): void {
    this.ms += ms;
    const due = this.waiting.filter(({ atMs }) => atMs <= this.ms);
    this.waiting = this.waiting.filter(({ atMs }) => atMs > this.ms);
    for (const { run } of due) run();
  }
}

const NOON_MS = 20_000 * DAY_MS + 12 * HOUR_MS;
const TOTAL = { cpus: 4, gpus: 2, memoryBytes: 2 ** 30 };

let clock: HandClock;
let database: LabDatabase;
let local: FakeEngine;
let slurm: FakeEngine;
let queue: JobQueue;

function open(more: Partial<JobQueueOptions> = {}): JobQueue {
  return new JobQueue({ database, engines: [local, slurm], clock, ...more });
}

beforeEach(() => {
  clock = new HandClock(NOON_MS);
  database = LabDatabase.open(':memory:', [JOBS_SCHEMA]);
  local = new FakeEngine('local', { name: 'here', total: TOTAL, free: TOTAL, isUp: true });
  slurm = new FakeEngine('slurm', { name: 'there', total: TOTAL, free: TOTAL, isUp: true }, true);
  queue = open();
});
afterEach(async () => {
  await queue.close();
  database.close();
});

function request(
  key: string,
  cpus = 1,
  more: Partial<JobRequest> = {},
  spec: Partial<JobSpec> = {},
): JobRequest {
  const resources = { cpus, gpus: 0, memoryBytes: 1 };
  const all = { command: ['true'], folder: '/', environment: {}, resources, logFile: '/log', ...spec };
  return { key, user: 'ann', engine: 'local', spec: all, ...more };
}

/** Waits, told by the queue, until a job is as wanted. */
async function untilJob(key: string, isWanted: (job: JobView) => boolean): Promise<JobView> {
  for (;;) {
    const job = queue.get(key);
    if (job && isWanted(job)) return job;
    await new Promise<void>((resolve) => {
      const unwatch = queue.watch(() => {
        unwatch();
        resolve();
      });
    });
  }
}
const isTaken = ({ step }: JobView): boolean => step === 'taken';
const isEnded = ({ step }: JobView): boolean => step === 'ended';
const hasReason = ({ reason }: JobView): boolean => reason !== undefined;

async function run(
  key: string,
  cpus = 1,
  more: Partial<JobRequest> = {},
  spec: Partial<JobSpec> = {},
): Promise<void> {
  queue.submit(request(key, cpus, more, spec));
  await untilJob(key, isTaken);
  local.set(key, { state: 'running', startedMs: clock.nowMs() });
  await untilJob(key, ({ state }) => state === 'running');
}

/** Lets the queue look after a time. */
async function pass(ms: number, key: string, isWanted: (job: JobView) => boolean): Promise<JobView> {
  clock.pass(ms);
  return untilJob(key, isWanted);
}

describe('JobQueue', () => {
  it('hands on what fits and says what the others wait for', async () => {
    await run('one', 3);
    queue.submit(request('two', 2));
    queue.submit(request('three', 1));
    expect(await untilJob('two', hasReason)).toMatchObject({
      state: 'queued',
      position: 1,
      reason: 'waits for 2 CPUs',
    });
    expect(await untilJob('three', hasReason)).toMatchObject({ position: 2 });
    expect(queue.open().map(({ key }) => key)).toEqual(['one', 'two', 'three']);
    local.set('one', {
      state: 'failed',
      exitCode: 3,
      endedMs: clock.nowMs(),
      reason: 'ended with exit code 3',
    });
    expect(await untilJob('two', isTaken)).toMatchObject({ node: 'here', position: undefined });
    await untilJob('three', isTaken);
    expect(queue.get('one')).toMatchObject({ step: 'ended', state: 'failed', exitCode: 3 });
    expect(queue.ended(10).map(({ key }) => key)).toEqual(['one']);
    expect(local.specs.get('two')?.preferredNodes).toEqual(['here']);
  });

  it('hands on at once where the engine queues itself', async () => {
    for (const key of ['one', 'two', 'three']) queue.submit(request(key, 4, { engine: 'slurm' }));
    for (const key of ['one', 'two', 'three']) await untilJob(key, isTaken);
    expect(slurm.submitted).toEqual(['one', 'two', 'three']);
  });

  it.each<[string, JobRequest, RegExp]>([
    ['an engine', request('x', 1, { engine: 'k8s' }), /no engine "k8s" \(there are: local, slurm\)/],
    ['a user', request('x', 1, { user: '' }), /a user is 1 to 100 characters/],
    ['a priority', request('x', 1, { priority: 1.5 }), /priority 1.5 is not within -100..100/],
    ['a limit', request('x', 1, { limitMs: 0 }), /a time limit of 0 ms/],
    ['a key', request('../x'), /the key "..\/x" is not 1 to 60 letters/],
    [
      'a command',
      request('x', 1, {}, { command: ['a\0b'], folder: 'here' }),
      /command.0: holds a NUL.*folder: is not/,
    ],
  ])('refuses %s that is none', (_what, wrong, message) => {
    expect(() => queue.submit(wrong)).toThrow(message);
    expect(queue.open()).toEqual([]);
  });

  it('fails what its engine refuses, or what no node is large enough for', async () => {
    queue.submit(request('image', 1, {}, { image: 'ubuntu' }));
    queue.submit(request('huge', 5));
    expect(await untilJob('image', isEnded)).toMatchObject({ state: 'failed', reason: 'No images here.' });
    expect(await untilJob('huge', isEnded)).toMatchObject({
      state: 'failed',
      reason: 'it asks for 5 CPUs, more than any node has',
    });
  });

  it('waits for an engine that can not be reached, and goes on', async () => {
    local.isReachable = false;
    queue.submit(request('one'));
    const reason = 'the engine local does not do its part: nobody answers';
    expect(await untilJob('one', hasReason)).toMatchObject({ state: 'queued', reason });
    local.isReachable = true;
    expect(await pass(1000, 'one', isTaken)).toMatchObject({ reason: undefined });
  });

  it('takes up where it was after a restart, and submits again what was not said yes to', async () => {
    await run('one');
    queue.submit(request('two', 4));
    await untilJob('two', hasReason);
    await queue.close();
    local.set('one', { state: 'succeeded', startedMs: NOON_MS, endedMs: NOON_MS + MINUTE_MS });
    database.prepare("UPDATE jobs_all SET step = 'handed' WHERE key = 'two'").run();
    clock.pass(HOUR_MS);
    queue = open();
    await untilJob('two', isTaken);
    expect(await untilJob('one', isEnded)).toMatchObject({ state: 'succeeded', cpuMs: MINUTE_MS });
    expect(queue.submit(request('one'))).toMatchObject({ state: 'succeeded' });
    expect(local.submitted).toEqual(['one', 'two']);
  });

  it('says lost of a job that its engine had and does not know any more', async () => {
    await run('one');
    local.forget('one');
    expect(await pass(1000, 'one', isEnded)).toMatchObject({ state: 'lost' });
    expect(local.submitted).toEqual(['one']);
  });

  it('stops what runs through its engine and what waits at once', async () => {
    await run('one', 4);
    queue.submit(request('two'));
    queue.stop('two', 0);
    expect(queue.get('two')).toMatchObject({ state: 'stopped', reason: 'stopped on request' });
    queue.stop('one', 1000);
    await untilJob('one', ({ state }) => state === 'stopping');
    local.set('one', { state: 'failed', exitCode: 1 });
    expect(await untilJob('one', isEnded)).toMatchObject({ state: 'stopped', reason: 'stopped on request' });
    expect(local.stopped).toEqual(['one']);
    expect(() => queue.stop('none', 0)).toThrow('There is no job none.');
  });

  it('stops what runs longer than its limit', async () => {
    await run('one', 1, { limitMs: 90_000 });
    await pass(90_000, 'one', ({ state }) => state === 'stopping');
    expect(queue.get('one')?.reason).toBe('stopped: it ran longer than its limit of 1.5 minutes');
  });
});

describe('credits', () => {
  it('charges what a job holds while it runs, each day its part', async () => {
    clock.pass(12 * HOUR_MS - 2 * MINUTE_MS);
    await run('one', 2, {}, { resources: { cpus: 2, gpus: 1, memoryBytes: 1 } });
    // What is charged alone is no news to anybody: idling is.
    clock.pass(MINUTE_MS);
    local.set('one', { state: 'running', startedMs: clock.nowMs() - MINUTE_MS, idleSinceMs: clock.nowMs() });
    await untilJob('one', ({ idleSinceMs }) => idleSinceMs !== undefined);
    expect(queue.account('ann')).toMatchObject({ cpuMinutes: 2, gpuMinutes: 1 });
    clock.pass(4 * MINUTE_MS);
    local.set('one', {
      state: 'succeeded',
      startedMs: clock.nowMs() - 5 * MINUTE_MS,
      endedMs: clock.nowMs(),
    });
    expect(await untilJob('one', isEnded)).toMatchObject({ cpuMs: 10 * MINUTE_MS, gpuMs: 5 * MINUTE_MS });
    // Two of the five minutes were yesterday's.
    expect(queue.account('ann')).toMatchObject({ cpuMinutes: 6, gpuMinutes: 3 });
  });

  it('stops jobs whose user has used up the day, holds back those that wait, and refuses new ones', async () => {
    queue.setBudget('ann', { cpuMinutes: 60, gpuMinutes: Infinity });
    await run('one', 4);
    queue.submit(request('two', 4));
    await untilJob('two', hasReason);
    const stopping = await pass(15 * MINUTE_MS, 'one', ({ state }) => state === 'stopping');
    expect(stopping.reason).toBe("stopped: today's budget of 60 CPU minutes of ann is used up");
    local.set('one', { state: 'stopped', startedMs: NOON_MS, endedMs: clock.nowMs() });
    await untilJob('one', isEnded);
    const held = await untilJob('two', ({ reason }) => reason?.includes('budget') === true);
    expect(held.reason).toBe("waits for 00:00 UTC: ann has used up today's budget of 60 CPU minutes");
    expect(() => queue.submit(request('three'))).toThrow(
      expect.objectContaining({ code: 'overloaded', details: { user: 'ann', retryAfterSec: 11.75 * 3600 } }),
    );
    expect(queue.submit(request('bob', 4, { user: 'bob' }))).toMatchObject({ state: 'queued' });
    await untilJob('bob', isTaken);
    local.set('bob', { state: 'succeeded' });
    await pass(12 * HOUR_MS, 'two', isTaken);
  });

  it('refuses more than one user may have', async () => {
    await queue.close();
    queue = open({ policy: { mostPerUser: { running: 1, waiting: 1, cpus: 2, gpus: 0 } } });
    expect(() => queue.submit(request('wide', 3))).toThrow('ann may have 2 CPUs at once, not 3');
    await run('one');
    queue.submit(request('two'));
    expect(await untilJob('two', hasReason)).toMatchObject({
      reason: 'ann has 1 jobs running, the most allowed',
    });
    expect(() => queue.submit(request('three'))).toThrow(/ann has 1 jobs waiting, the most allowed/);
  });
});
