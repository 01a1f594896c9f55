import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';

import type { JobSpec, JobState, JobStatus } from '../job-engine';
import { ScriptCluster } from '../test-support/script-cluster';
import { untilState } from '../test-support/until-state';

import { SlurmEngine } from './slurm-engine';

interface Slurm {
  readonly configFile: string;
  readonly node: {
    readonly name: string;
    readonly cpus: number;
    readonly memoryMib: number;
    readonly gpus: number;
  };
}

/** The first time, the packages are installed. */
const SET_UP_MS = 10 * 60_000;
const MIB = 2 ** 20;
/** Longer than any test. */
const LONG_SEC = 300;

let cluster: ScriptCluster<Slurm>;
let slurm: Slurm;
let folder: string;
let engine: SlurmEngine;
beforeAll(async () => {
  cluster = await ScriptCluster.start<Slurm>('slurm');
}, SET_UP_MS);
afterAll(() => cluster.end());
beforeEach(async (test: TestContext) => {
  slurm = cluster.require(test);
  folder = await mkdtemp(join(tmpdir(), 'sluice-slurm-jobs-'));
  engine = open();
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param args by default without the user's login environment, which can take a second to set up. */
function open(args: readonly string[] = ['--export=PATH']): SlurmEngine {
  const { configFile } = slurm;
  return new SlurmEngine({ folder: join(folder, 'jobs'), configFile, pollMs: 50, arguments: args });
}

function job(script: string, more: Partial<JobSpec> = {}): JobSpec {
  return {
    command: ['/bin/sh', '-c', script],
    folder,
    environment: {},
    resources: { cpus: 1, gpus: 0, memoryBytes: 100 * MIB },
    logFile: join(folder, 'job.log'),
    ...more,
  };
}

const until = (key: string, ...states: readonly JobState[]): Promise<JobStatus> =>
  untilState(engine, key, ...states);
const log = (): Promise<string> => readFile(join(folder, 'job.log'), 'utf8');

/** Waits till the log holds the text. */
const logged = (text: string): Promise<void> =>
  expect.poll(() => log().catch(() => ''), { timeout: 20_000 }).toContain(text);

describe('a real Slurm cluster of one node', () => {
  it('runs a job with its folder, its variables and what it asked for', async () => {
    await engine.close();
    engine = open([]);
    const odd = `it's "odd" \\ $HOME \`id\` \r\n second line\t%j é`;
    await engine.submit(
      'run-1',
      job('echo "$PWD|$ODD|$SLURM_CPUS_PER_TASK|$SLURM_GPUS_ON_NODE"; echo problem >&2', {
        environment: { ODD: odd, PATH: '/usr/bin:/bin', 'odd.name': 'x' },
        resources: { cpus: 1.5, gpus: 1, memoryBytes: 1 },
      }),
    );
    expect(await until('run-1', 'succeeded')).toMatchObject({
      state: 'succeeded',
      exitCode: 0,
      node: slurm.node.name,
      startedMs: expect.any(Number) as number,
      endedMs: expect.any(Number) as number,
    });
    expect(await log()).toBe(`${folder}|${odd}|2|1\nproblem\n`);
  });

  it('tells how a program failed, and of one that is not there', async () => {
    await engine.submit('seven', job('exit 7'));
    await engine.submit('killed', job('kill -SEGV $$'));
    await engine.submit('absent', job('', { command: ['no-such-program-here'] }));
    expect(await until('seven', 'failed')).toMatchObject({ exitCode: 7 });
    expect(await until('killed', 'failed')).toMatchObject({ signal: 'SIGSEGV' });
    expect(await until('absent', 'failed')).toMatchObject({
      exitCode: 127,
      reason: 'the program was not found; see the log',
    });
  });

  it('queues what does not fit now, and tells what is free', async () => {
    const whole = { cpus: slurm.node.cpus, gpus: 0, memoryBytes: 300 * MIB };
    await engine.submit('first', job(`echo up; exec sleep ${LONG_SEC}`, { resources: whole }));
    await logged('up');
    await engine.submit('second', job('true', { resources: whole }));
    expect(await until('second', 'queued')).toMatchObject({
      reason: expect.stringContaining('waits') as string,
    });
    expect(await engine.nodes()).toEqual([
      {
        name: slurm.node.name,
        total: { cpus: slurm.node.cpus, gpus: slurm.node.gpus, memoryBytes: slurm.node.memoryMib * MIB },
        free: { cpus: 0, gpus: slurm.node.gpus, memoryBytes: (slurm.node.memoryMib - 300) * MIB },
        isUp: true,
      },
    ]);
    await engine.stop('first', 10_000);
    expect(await until('first', 'stopped')).toMatchObject({ signal: 'SIGTERM' });
    await until('second', 'succeeded');
  });

  it('stops a job in the queue, one that asks to clean up, and one that does not listen', async () => {
    const whole = { cpus: slurm.node.cpus - 1, gpus: 0, memoryBytes: 100 * MIB };
    const script = `trap 'echo cleaned up; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
    await engine.submit('polite', job(script, { resources: whole }));
    await logged('ready');
    await engine.submit('waiting', job('echo never', { resources: whole }));
    await engine.stop('waiting', 10_000);
    expect(await until('waiting', 'stopped')).toMatchObject({ reason: 'stopped before it began' });
    await engine.stop('polite', 10_000);
    expect(await until('polite', 'stopped')).toMatchObject({ exitCode: 3 });
    await engine.submit('deaf', job(`trap '' TERM; echo deaf; while :; do sleep 0.05; done`));
    await logged('deaf');
    await engine.stop('deaf', 100);
    await until('deaf', 'stopped');
    const said = await log();
    expect(said).toMatch(/ready\n[^]*cleaned up\n[^]*deaf\n/);
    expect(said).not.toContain('never');
  });

  it('ends a job that takes more memory than it asked for', async () => {
    const hog = `x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep ${LONG_SEC}`;
    await engine.submit('hog', job(hog, { resources: { cpus: 1, gpus: 0, memoryBytes: 50 * MIB } }));
    expect(await until('hog', 'failed')).toMatchObject({ reason: 'it used more memory than it asked for' });
  });

  it('refuses at once what could never run', async () => {
    const { cpus } = slurm.node;
    const refused = async (more: Partial<JobSpec>): Promise<unknown> =>
      engine.submit('bad', job('true', more));
    const resources = { cpus: cpus + 1, gpus: 0, memoryBytes: MIB };
    await expect(refused({ resources })).rejects.toThrow(
      /asks for 5 CPUs.* no node has \(box: 4 CPUs, 2 GPUs/,
    );
    await expect(refused({ folder: '/no/such/folder' })).rejects.toThrow('/no/such/folder is not there');
    await expect(refused({ command: ['./absent'] })).rejects.toThrow(
      `was not found: looked in ${folder}/absent`,
    );
    await expect(refused({ image: 'debian' })).rejects.toMatchObject({ code: 'unsupported' });
    expect(await engine.statuses(['bad', 'never'])).toEqual(new Map());
  });

  it('runs a key once, also after a crash between the submission and its record', async () => {
    const once = job('echo once >>ran; sleep 0.2');
    await Promise.all([engine.submit('key', once), engine.submit('key', once)]);
    await engine.close();
    // The server is gone before it wrote the answer down.
    await rm(join(folder, 'jobs/key/submitted.json'));
    engine = open();
    await engine.submit('key', once);
    await until('key', 'succeeded');
    await engine.submit('key', once);
    await engine.close();
    engine = open();
    expect((await engine.statuses(['key'])).get('key')).toMatchObject({ state: 'succeeded' });
    expect(await readFile(join(folder, 'ran'), 'utf8')).toBe('once\n');
  });

  it('prefers a node that has the data, and does not insist', async () => {
    await engine.submit('near', job('true', { preferredNodes: ['elsewhere', slurm.node.name] }));
    await engine.submit('far', job('true', { preferredNodes: ['elsewhere'] }));
    expect(await until('near', 'succeeded')).toMatchObject({ node: slurm.node.name });
    await until('far', 'succeeded');
  });

  it('says that slurmctld is down, and goes on when it is back; what ended meanwhile is known', async () => {
    await engine.submit('through', job('echo up; while [ ! -e go ]; do sleep 0.05; done'));
    await logged('up');
    await cluster.tell('stop-controller');
    const unreachable = {
      code: 'unavailable',
      message: expect.stringMatching(/^Slurm can't be reached: \w+ says/) as string,
    };
    // Together: each command tries for seconds.
    await Promise.all([
      expect(engine.statuses(['through'])).rejects.toMatchObject(unreachable),
      expect(engine.submit('later', job('true'))).rejects.toMatchObject(unreachable),
      expect(engine.nodes()).rejects.toMatchObject(unreachable),
      expect(engine.stop('through', 1000)).rejects.toMatchObject(unreachable),
    ]);
    await writeFile(join(folder, 'go'), '');
    await cluster.tell('start-controller');
    await engine.submit('later', job('true'));
    await until('later', 'succeeded');
    // It was to be stopped, and ended by itself before Slurm could tell it.
    await until('through', 'stopped');
  });
});
