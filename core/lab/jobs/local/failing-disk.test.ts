import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../contract';
import { makeGround, openEngine, processesOf, shellJob, untilStatus } from '../test-support/job-fixtures';
import type { JobGround } from '../test-support/job-fixtures';

import { JobFolder } from './job-folder';
import type { LocalEngine } from './local-engine';

const EIO = new SluiceError('io', 'EIO: i/o error');

let ground: JobGround;
let engine: LocalEngine;

beforeEach(async () => {
  ground = makeGround();
  engine = await openEngine(ground);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await engine.close();
  expect(processesOf(ground)).toEqual([]);
  ground.remove();
});

it('a job whose folder was made although that failed is run when it is handed on again', async () => {
  const create = JobFolder.create.bind(JobFolder);
  vi.spyOn(JobFolder, 'create').mockImplementationOnce(async (...args) => {
    await create(...args);
    throw EIO; // the folder is in place, and could not be synced
  });
  await expect(engine.submit('job', shellJob(ground, 'exit 4'))).rejects.toThrow('EIO');
  await engine.submit('job', shellJob(ground, 'exit 4'));
  await engine.submit('job', shellJob(ground, 'exit 4'));
  expect(await untilStatus(engine, 'job')).toMatchObject({ state: 'failed', exitCode: 4 });
});

it('a job whose folder was made although that failed is run when only its status is asked', async () => {
  const create = JobFolder.create.bind(JobFolder);
  vi.spyOn(JobFolder, 'create').mockImplementationOnce(async (...args) => {
    await create(...args);
    throw EIO;
  });
  await expect(engine.submit('job', shellJob(ground, 'exit 4'))).rejects.toThrow('EIO');
  // What the queue does: a status that tells of the job is as good as a submission that was answered.
  expect(await untilStatus(engine, 'job')).toMatchObject({ state: 'failed', exitCode: 4 });
});

it('a job that runs while its folder can not be read by a server that comes back is not lost', async () => {
  await engine.submit('job', shellJob(ground, 'while [ ! -e go ]; do sleep 0.02; done; exit 4'));
  await untilStatus(engine, 'job', ({ startedMs }) => startedMs !== undefined);
  await engine.close();
  const status = vi.spyOn(JobFolder.prototype, 'status').mockImplementation(() => {
    throw EIO;
  });
  engine = await openEngine(ground);
  expect((await engine.statuses(['job'])).get('job')).toEqual({
    state: 'running',
    node: 'here',
    reason: 'EIO: i/o error',
  });
  status.mockRestore();
  const ended = untilStatus(engine, 'job');
  expect((await engine.nodes())[0]?.free.cpus).toBe(3);
  writeFileSync(join(ground.work, 'go'), '');
  expect(await ended).toMatchObject({ state: 'failed', exitCode: 4 });
});

it('a job whose files are damaged is lost, and the others go on', async () => {
  await engine.submit('damaged', shellJob(ground, 'exit 0'));
  await untilStatus(engine, 'damaged');
  await engine.submit('whole', shellJob(ground, 'exit 4'));
  await untilStatus(engine, 'whole');
  const path = join(ground.jobs, 'damaged', 'status.json');
  const written = readFileSync(path, 'utf8');
  writeFileSync(path, written.slice(0, -5));
  const statuses = await engine.statuses(['damaged', 'whole']);
  expect(statuses.get('damaged')).toMatchObject({
    state: 'lost',
    reason: expect.stringMatching(/status\.json is damaged: .*Remove .*damaged\./) as string,
  });
  expect(statuses.get('whole')).toMatchObject({ state: 'failed', exitCode: 4 });
});

it('a job whose folder is gone holds its place until its program has ended, and no longer', async () => {
  await engine.submit('job', shellJob(ground, 'while [ ! -e go ]; do sleep 0.02; done'));
  await untilStatus(engine, 'job', ({ startedMs }) => startedMs !== undefined);
  const aside = join(ground.root, 'aside');
  renameSync(join(ground.jobs, 'job'), aside);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await engine.nodes())[0]?.free.cpus).toBe(3);
  writeFileSync(join(ground.work, 'go'), '');
  await vi.waitFor(async () => expect((await engine.nodes())[0]?.free.cpus).toBe(4));
  rmSync(aside, { recursive: true });
});

it('a job that can not be started, which can not be written either, has failed once the disk works', async () => {
  vi.spyOn(JobFolder.prototype, 'writeStart').mockRejectedValueOnce(EIO);
  let refused = 0;
  const claim = vi.spyOn(JobFolder.prototype, 'claim').mockImplementation(() => {
    refused += 1;
    throw EIO;
  });
  await engine.submit('job', shellJob(ground, 'exit 0'));
  await vi.waitFor(() => expect(refused).toBeGreaterThan(2));
  expect((await engine.statuses(['job'])).get('job')).toMatchObject({ state: 'running' });
  const ended = untilStatus(engine, 'job');
  claim.mockRestore();
  expect(await ended).toMatchObject({
    state: 'failed',
    reason: 'its supervisor did not start: EIO: i/o error',
  });
  expect((await engine.nodes())[0]?.free.cpus).toBe(4);
});
