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
