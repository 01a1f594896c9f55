import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';

import type { JobSpec } from '../job-engine';
import { ScriptCluster } from '../test-support/script-cluster';
import { untilState } from '../test-support/until-state';

import { RayEngine } from './ray-engine';

interface Ray {
  readonly url: string;
  readonly node: { readonly cpus: number; readonly memoryBytes: number; readonly gpus: number };
}

/** The first time, Ray is installed. */
const SET_UP_MS = 10 * 60_000;
/** Ray starts a Python process for each job. */
const JOBS_MS = 120_000;
const MIB = 2 ** 20;

let cluster: ScriptCluster<Ray>;
let ray: Ray;
let folder: string;
let engine: RayEngine;
beforeAll(async () => {
  cluster = await ScriptCluster.start<Ray>('ray');
}, SET_UP_MS);
afterAll(() => cluster.end(), JOBS_MS);
beforeEach(async (test: TestContext) => {
  ray = cluster.require(test);
  folder = await mkdtemp(join(tmpdir(), 'sluice-ray-jobs-'));
  engine = open();
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

function open(name = 'jobs'): RayEngine {
  return new RayEngine({ url: ray.url, folder: join(folder, name), pollMs: 100 });
}

function job(key: string, script: string, more: Partial<JobSpec> = {}): JobSpec {
  return {
    command: ['/bin/sh', '-c', script],
    folder,
    environment: {},
    resources: { cpus: 1, gpus: 0, memoryBytes: 100 * MIB },
    logFile: join(folder, `${key}.log`),
    ...more,
  };
}

const log = (key: string): Promise<string> => readFile(join(folder, `${key}.log`), 'utf8');
const logged = (key: string, text: string): Promise<void> =>
  expect.poll(() => log(key).catch(() => ''), { timeout: JOBS_MS }).toContain(text);

describe('a real Ray cluster of one node', () => {
  it(
    'runs jobs with their folder and variables, each key once, and tells how they end',
    async () => {
      const odd = `it's "odd" \\ $HOME \${HOME} \`id\` \r\n second line é`;
      const good = job('good', 'echo "$PWD|$ODD|$PLAIN"; echo once >>ran', {
        environment: { ODD: odd, PLAIN: 'plain' },
        resources: { cpus: 0.5, gpus: 1, memoryBytes: 1 },
        preferredNodes: ['elsewhere', '127.0.0.1'],
      });
      await Promise.all([engine.submit('good', good), engine.submit('good', good)]);
      await engine.submit('bad', job('bad', 'exit 7'));
      await engine.close();
      // The server is gone before it wrote the answer down.
      await rm(join(folder, 'jobs/good/submitted.json'));
      engine = open();
      await engine.submit('good', good);
      expect(await untilState(engine, 'good', 'succeeded')).toMatchObject({ exitCode: 0, node: '127.0.0.1' });
      expect(await untilState(engine, 'bad', 'failed')).toMatchObject({ exitCode: 7 });
      expect(await log('good')).toBe(`${folder}|${odd}|plain\n`);
      expect(await readFile(join(folder, 'ran'), 'utf8')).toBe('once\n');
      const other = open('another-lab');
      await expect(other.submit('good', good)).rejects.toMatchObject({ code: 'conflict' });
      await other.close();
    },
    JOBS_MS,
  );

  it(
    'queues what does not fit now, and stops jobs: waiting, asked to clean up, and deaf ones',
    async () => {
      const most = { cpus: ray.node.cpus - 1, gpus: 0, memoryBytes: MIB };
      const polite = `trap 'echo cleaned up; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
      await engine.submit('polite', job('polite', polite, { resources: most }));
      await engine.submit('deaf', job('deaf', `trap '' TERM; echo ready; while :; do sleep 0.05; done`));
      await Promise.all([logged('polite', 'ready'), logged('deaf', 'ready')]);
      await engine.submit('waiting', job('waiting', 'echo never'));
      expect(await untilState(engine, 'waiting', 'queued')).toMatchObject({
        reason: expect.stringContaining('waiting for resources') as string,
      });
      const { cpus, gpus, memoryBytes } = ray.node;
      await expect
        .poll(() => engine.nodes(), { timeout: JOBS_MS })
        .toEqual([
          {
            name: '127.0.0.1',
            total: { cpus, gpus, memoryBytes },
            free: { cpus: 0, gpus, memoryBytes: memoryBytes - 101 * MIB },
            isUp: true,
          },
        ]);
      await engine.stop('waiting', 10_000);
      expect(await untilState(engine, 'waiting', 'stopped')).toMatchObject({
        reason: 'stopped before it began',
      });
      await Promise.all([engine.stop('polite', 10_000), engine.stop('deaf', 100)]);
      expect(await untilState(engine, 'polite', 'stopped')).toMatchObject({ exitCode: 3 });
      await untilState(engine, 'deaf', 'stopped');
      expect(await log('polite')).toContain('cleaned up');
    },
    JOBS_MS,
  );

  it('refuses at once what could never run', async () => {
    const resources = { cpus: ray.node.cpus + 1, gpus: 0, memoryBytes: MIB };
    await expect(engine.submit('big', job('big', 'true', { resources }))).rejects.toThrow(
      /5 CPUs.* no node has/,
    );
    await expect(engine.submit('image', job('image', 'true', { image: 'debian' }))).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(await engine.statuses(['big', 'never'])).toEqual(new Map());
  });
});
