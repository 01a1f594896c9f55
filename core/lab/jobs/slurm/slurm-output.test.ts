import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SlurmEngine } from './slurm-engine';
import { parseSacct, parseSqueue } from './slurm-jobs';
import { parseSinfo } from './slurm-nodes';

const GIB = 2 ** 30;

describe('parseSqueue', () => {
  it.each([
    // As slurm 22.05.8 prints them.
    [
      '7|PENDING|Resources||0|N/A|N/A|c',
      { state: 'queued', reason: 'waits for CPUs, GPUs or memory to come free' },
    ],
    [
      '7|PENDING|QOSMaxCpuPerUserLimit||0|N/A|N/A|c',
      { state: 'queued', reason: 'waits; Slurm says QOSMaxCpuPerUserLimit' },
    ],
    ['7|RUNNING|None|n1|0|100|NONE|c', { state: 'running', node: 'n1', startedMs: 100_000 }],
    ['7|COMPLETING|None|n1|0|100|NONE|c', { state: 'running' }],
    ['7|SOMETHING_NEW|None|n1|0|100|NONE|c', { state: 'running' }],
    ['7|COMPLETED|None|n1|0|100|200|c', { state: 'succeeded', exitCode: 0, endedMs: 200_000 }],
    ['7|FAILED|NonZeroExitCode|n1|768|100|200|c', { state: 'failed', exitCode: 3 }],
    ['7|FAILED|JobLaunchFailure|n1|9|100|200|c', { state: 'failed', signal: 'SIGKILL' }],
    ['7|OUT_OF_MEMORY|OutOfMemory|n1|125|100|200|c', { reason: 'it used more memory than it asked for' }],
    ['7|TIMEOUT|TimeLimit|n1|15|100|200|c', { state: 'failed', isScheduler: true }],
    ['7|CANCELLED|None||0|100|200|c', { state: 'stopped' }],
  ])('%s', (line, expected) => {
    expect(parseSqueue(`${line}\n`)).toEqual([
      expect.objectContaining({ id: '7', comment: 'c', ...expected }),
    ]);
  });

  it('takes columns that are padded, and comments with the separator in them', () => {
    expect(parseSqueue('7   |RUNNING  |None   |n1  |0   |1  |NONE  |a|b   \n\n')).toMatchObject([
      { comment: 'a|b' },
    ]);
  });

  it.each(['slurm_load_jobs error', '7|RUNNING', 'x|RUNNING|None|n|0|1|2|c', '7|RUNNING|None|n|many|1|2|c'])(
    'refuses %j',
    (output) => {
      expect(() => parseSqueue(output)).toThrow(
        /The answer of squeue is not what was expected: .* not a line/,
      );
    },
  );
});

describe('parseSacct', () => {
  it('reads ends', () => {
    const output = [
      '7|COMPLETED|0:0|100|200|n1',
      '8|CANCELLED by 1000|0:15|100|200|n1',
      '9|PENDING|0:0|Unknown|Unknown|None assigned',
    ];
    expect(parseSacct(output.join('\n'))).toEqual([
      { id: '7', state: 'succeeded', exitCode: 0, node: 'n1', startedMs: 100_000, endedMs: 200_000 },
      { id: '8', state: 'stopped', signal: 'SIGTERM', node: 'n1', startedMs: 100_000, endedMs: 200_000 },
      { id: '9', state: 'queued', reason: 'waits; Slurm says PENDING' },
    ]);
  });

  it('refuses what is something else', () => {
    expect(() => parseSacct('Slurm accounting storage is disabled')).toThrow('not a line of sacct');
  });
});

describe('parseSinfo', () => {
  it.each([
    ['idle', 'gpu:2', 'gpu:0', { isUp: true, gpus: 2 }],
    ['mixed', 'gpu:a100:4(S:0-1),shard:8', 'gpu:a100:1(IDX:0),shard:0', { isUp: true, gpus: 3 }],
    ['mixed', 'gpu:a:1,gpu:b:2', 'gpu:a:1(IDX:0),gpu:b:1(IDX:1,2)', { isUp: true, gpus: 1 }],
    ['allocated', '(null)', 'gpu:(null):0(IDX:N/A)', { isUp: true, gpus: 0 }],
    ['idle~', '(null)', '(null)', { isUp: true, gpus: 0 }],
    ['idle*', '(null)', '(null)', { isUp: false, gpus: 0 }],
    ['drained', '(null)', '(null)', { isUp: false, gpus: 0 }],
    ['down*', '(null)', '(null)', { isUp: false, gpus: 0 }],
  ])('%s %s', (state, gres, taken, { isUp, gpus }) => {
    const line = `n1  |${state}  |1/3/0/4  |4096  |1024  |${gres}  |${taken}  |fast,n1  \n`;
    // Twice: in two partitions.
    expect(parseSinfo(line + line)).toMatchObject([
      { name: 'n1', isUp, free: { cpus: 3, gpus, memoryBytes: 3 * GIB }, features: ['fast', 'n1'] },
    ]);
  });

  it('refuses what is something else', () => {
    expect(() => parseSinfo('PARTITION AVAIL')).toThrow('not a line of sinfo');
  });
});

describe("Slurm's commands", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-commands-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const engine = (): SlurmEngine =>
    new SlurmEngine({ folder: join(folder, 'jobs'), searchPath: folder, timeoutMs: 500 });

  async function command(name: string, script: string): Promise<void> {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const SINFO = `if [ "$1" = --version ]; then echo slurm 20.11.4; else echo 'n1|idle|0/4/0/4|4096|0|(null)|(null)|(null)'; fi`;
  const spec = {
    command: ['true'],
    folder: '/',
    environment: {},
    resources: { cpus: 1, gpus: 0, memoryBytes: 1 },
    logFile: '/dev/null',
  };

  it('are not there: says what to install', async () => {
    await expect(engine().nodes()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^Slurm's command sinfo was not found .* Install Slurm's client commands/,
      ) as string,
    });
    await command('sinfo', SINFO);
    await expect(engine().submit('k', spec)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('sbatch was not found') as string,
    });
  });

  it('hang: gives up', async () => {
    await command('sinfo', 'exec /bin/sleep 60');
    await expect(engine().nodes()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('sinfo did not answer within 0.5 s') as string,
    });
  });

  it('refuse a job: says why, and the key is free', async () => {
    await command('sinfo', SINFO);
    await command('squeue', '');
    await command('sbatch', 'echo "sbatch: error: Batch job submission failed: Invalid account" >&2; exit 1');
    await expect(engine().submit('k', spec)).rejects.toMatchObject({
      code: 'bad-input',
      message: 'Slurm refuses the job: Batch job submission failed: Invalid account.',
    });
    await command('sbatch', 'echo "12;cluster"');
    const again = engine();
    await again.submit('k', spec);
    await command('sbatch', 'exit 1');
    await again.submit('k', spec);
    await command('sacct', `echo '12|NODE_FAIL|0:0|100|200|n1'`);
    expect((await again.statuses(['k'])).get('k')).toMatchObject({
      state: 'failed',
      reason: 'its node failed',
    });
  });

  it('know nothing of it any more, and keep no accounts: it is lost', async () => {
    await command('sinfo', SINFO);
    await command('squeue', '');
    await command('sbatch', 'echo 12');
    const one = engine();
    await one.submit('k', spec);
    expect((await one.statuses(['k'])).get('k')).toEqual({
      state: 'lost',
      reason: 'Slurm no longer knows the job: it never began',
    });
  });
});
