import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { JobSpec } from '../job-engine';

import { JobRecords } from './job-records';

let folder: string;
let records: JobRecords;
const started: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice job's "));
  records = new JobRecords(join(folder, 'jobs'), 'SLURM_JOB_ID');
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function job(script: string, more: Partial<JobSpec> = {}): JobSpec {
  return {
    command: ['/bin/sh', '-c', script],
    folder,
    environment: {},
    resources: { cpus: 1, gpus: 0, memoryBytes: 1 },
    logFile: join(folder, 'job.log'),
    ...more,
  };
}

interface Started {
  readonly pid: number;
  readonly ended: Promise<number | string | null>;
  /** The script and all that it started have ended. */
  readonly allEnded: Promise<void>;
}

/** Starts a job's script as a scheduler does: in a process group of its own. */
function start(script: string, id: string): Started {
  const child = spawn('/bin/sh', [script], {
    detached: true,
    env: { PATH: process.env['PATH'], SLURM_JOB_ID: id },
    // Everything the script starts inherits the pipe: it closes with the last of them.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  started.push(child);
  child.stdio[3]!.on('data', () => undefined);
  return {
    pid: child.pid!,
    ended: new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal))),
    allEnded: new Promise((done) => child.once('close', () => done())),
  };
}

const log = (): Promise<string> => readFile(join(folder, 'job.log'), 'utf8');
const logged = (text: string): Promise<void> => expect.poll(() => log().catch(() => '')).toContain(text);

describe('the script of a job', () => {
  it('hands on folder, arguments and variables, appends to the log and tells the end', async () => {
    await writeFile(join(folder, 'job.log'), 'before\n');
    const tell =
      'console.log(JSON.stringify([process.cwd(), process.env, process.argv.slice(1)])); process.exit(9)';
    const environment = { A: 'x\r\n"y"', UID: '7', 'odd.name': '$(id)', HOME: '' };
    const spec = job('', { command: [process.execPath, '-e', tell, '--', `it's`, '\r\n'], environment });
    const script = await records.prepare('k', spec);
    expect(await start(script, '12').ended).toBe(9);
    const [before, told] = (await log()).split('\n');
    expect(before).toBe('before');
    expect(JSON.parse(told!)).toEqual([folder, expect.objectContaining(environment), [`it's`, '\r\n']]);
    expect(await records.read('k')).toEqual({
      claimedBy: '12',
      startedMs: expect.any(Number) as number,
      ended: { shellCode: 9, atMs: expect.any(Number) as number },
      isStopAsked: false,
    });
  });

  it('runs once, however often it is started', async () => {
    const script = await records.prepare('k', job('echo once'));
    const ends = await Promise.all(['1', '2', '3'].map((id) => start(script, id).ended));
    expect(ends).toEqual([0, 0, 0]);
    expect(await log()).toBe('once\n');
  });

  it.each([
    ['a folder that is not there', { folder: '/no/such folder' }, 126],
    ['a program that is not there', { command: ['no-such-program'] }, 127],
    ['a program with "=" in its name', { command: ['a=b'], environment: { 'x-y': '' } }, 127],
  ])('says in the log what is wrong: %s', async (_what, more, code) => {
    const script = await records.prepare('k', job('', more));
    expect(await start(script, '1').ended).toBe(code);
    expect(await log()).not.toBe('');
  });

  it('does not begin when it was stopped before', async () => {
    const script = await records.prepare('k', job('echo never'));
    await records.writeStop('k', 0);
    await start(script, '1').ended;
    await expect(log()).rejects.toThrow('ENOENT');
  });

  it('lets a program clean up when it is stopped', async () => {
    const script = await records.prepare(
      'k',
      job(`trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.02; done`),
    );
    const { pid, ended } = start(script, '1');
    await logged('up');
    await records.writeStop('k', 20_000);
    process.kill(-pid, 'SIGTERM');
    await ended;
    expect(await log()).toContain('bye');
    expect(await records.read('k')).toMatchObject({ ended: { shellCode: 4 }, isStopAsked: true });
  });

  it('kills a program that does not end within its grace, and its children', async () => {
    const script = await records.prepare('k', job(`trap '' TERM; sleep 600 & echo up; wait; sleep 600`));
    const { pid, ended, allEnded } = start(script, '1');
    await logged('up');
    await records.writeStop('k', 50);
    process.kill(-pid, 'SIGTERM');
    expect(await ended).toBe('SIGKILL');
    await allEnded;
  });

  it('ends children that outlive their program', async () => {
    const script = await records.prepare('k', job(`(trap '' TERM; echo up; exec sleep 600) & sleep 0.1`));
    const { ended, allEnded } = start(script, '1');
    expect(await ended).toBe(0);
    await allEnded;
  });
});
