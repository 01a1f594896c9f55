import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import {
  makeGround,
  openEngine,
  processesOf,
  shellJob,
  until,
  untilStatus,
} from '../test-support/job-fixtures';

it('a job that fills the disk of its own folder: how it ended is known all the same', async ({ skip }) => {
  const ground = makeGround();
  mkdirSync(ground.jobs);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', ground.jobs]);
  skip(mounted.status !== 0, 'a small disk of its own takes the right to mount a tmpfs');
  try {
    const engine = await openEngine(ground);
    const logFile = join(ground.jobs, 'log.txt');
    await engine.submit('job', shellJob(ground, 'yes; echo told >&2; exit 6', { logFile }));
    expect(await untilStatus(engine, 'job')).toMatchObject({ state: 'failed', exitCode: 6 });
    await expect(engine.submit('next', shellJob(ground, 'exit 0'))).rejects.toThrow(
      /Can't .*the disk is full/,
    );
    expect(await engine.statuses(['next'])).toEqual(new Map());
    await engine.close();
    expect(processesOf(ground)).toEqual([]);
  } finally {
    // The job's supervisor has its log there until it has ended, a little after its job.
    await until(() => spawnSync('umount', [ground.jobs]).status === 0);
    ground.remove();
  }
});
