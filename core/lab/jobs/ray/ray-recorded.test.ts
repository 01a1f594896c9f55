import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { sha256Hex } from '../../../storage';
import type { JobSpec } from '../job-engine';

import { RayEngine } from './ray-engine';

interface Exchange {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly text: string;
}
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

const { exchanges } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, 'test-support/recorded-exchanges.json'), 'utf8'),
) as { exchanges: readonly Exchange[] };
const recorded = (what: string): Exchange => exchanges.find((exchange) => exchange.what === what)!;
const NODE = '127.0.0.1';

let folder: string;
let server: Server;
let engine: RayEngine;
/** What the server answers to `METHOD /path`. */
let answers: Map<string, Pick<Exchange, 'status' | 'text'>>;
let asked: Asked[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-recorded-'));
  answers = new Map();
  asked = [];
  for (const what of ['nodes', 'cluster']) {
    const { method, path } = recorded(what);
    answers.set(`${method} ${path}`, recorded(what));
  }
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, path: url, headers, body: body === '' ? undefined : JSON.parse(body) });
      const { status, text } = answers.get(`${method} ${url}`) ?? recorded('unknown');
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  engine = open();
});
afterEach(async () => {
  await engine.close();
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true, force: true });
});

const jobs = (): string => join(folder, 'jobs');
const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const open = (): RayEngine =>
  new RayEngine({ url: `${url()}/`, folder: jobs(), token: 'secret', timeoutMs: 2000 });
/** Recorded jobs were submitted by a lab named LAB. */
const ofThisLab = (text: string): string =>
  text.replaceAll('"LAB"', JSON.stringify(sha256Hex(Buffer.from(jobs())).slice(0, 12)));
const answer = (method: string, path: string, what: string): void => {
  const { status, text } = recorded(what);
  answers.set(`${method} ${path}`, { status, text: ofThisLab(text) });
};

function spec(more: Partial<JobSpec> = {}): JobSpec {
  return {
    command: ['true'],
    folder,
    environment: { A: 'b', HOME_OF: '$HOME' },
    resources: { cpus: 0.5, gpus: 1, memoryBytes: 1000 },
    logFile: join(folder, 'log'),
    ...more,
  };
}

async function submitted(): Promise<void> {
  answer('POST', '/api/jobs/', 'submit');
  await engine.submit('k', spec());
}

describe('what Ray answered once', () => {
  it('takes a submission, and sends all that Ray needs', async () => {
    answer('POST', '/api/jobs/', 'submit');
    await engine.submit('k', spec({ preferredNodes: ['elsewhere', NODE] }));
    await engine.submit('k', spec());
    const posts = asked.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(1);
    expect(posts[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/json',
    });
    expect(posts[0]!.body).toEqual({
      entrypoint: `exec /bin/sh '${jobs()}/k/job.sh'`,
      submission_id: 'k',
      entrypoint_num_cpus: 0.5,
      entrypoint_num_gpus: 1,
      entrypoint_memory: 1000,
      entrypoint_resources: { 'node:127.0.0.1': 0.001 },
      runtime_env: { env_vars: { A: 'b', RAY_JOB_STOP_WAIT_TIME_S: '86400' } },
      metadata: { sluice_lab: expect.stringMatching(/^[0-9a-f]{12}$/) as string },
    });
  });

  it.each([
    ['waiting', { state: 'queued', reason: expect.stringContaining('waiting for resources') as string }],
    ['running', { state: 'running', node: NODE }],
    ['succeeded', { state: 'succeeded', exitCode: 0, node: NODE, endedMs: expect.any(Number) as number }],
    ['failed', { state: 'failed', exitCode: 7, node: NODE }],
    ['killed', { state: 'failed', signal: 'SIGKILL' }],
    [
      'not set up',
      { state: 'failed', reason: expect.stringContaining('runtime_env setup failed') as string },
    ],
    ['stopped', { state: 'stopped' }],
    ['unknown', { state: 'lost', reason: 'Ray no longer knows the job: it never began' }],
  ])('%s', async (what, expected) => {
    await submitted();
    answer('GET', '/api/jobs/k', what);
    expect((await engine.statuses(['k', 'never'])).get('k')).toMatchObject(expected);
  });

  it('keeps an end that Ray has forgotten', async () => {
    await submitted();
    answer('GET', '/api/jobs/k', 'failed');
    await engine.statuses(['k']);
    answer('GET', '/api/jobs/k', 'unknown');
    await engine.close();
    engine = open();
    expect((await engine.statuses(['k'])).get('k')).toMatchObject({ state: 'failed', exitCode: 7 });
  });

  it('has the key already: from this lab nothing happens, from another it is a conflict', async () => {
    answer('POST', '/api/jobs/', 'submit again');
    answers.set('GET /api/jobs/k', recorded('running'));
    await expect(engine.submit('k', spec())).rejects.toMatchObject({ code: 'conflict' });
    answer('GET', '/api/jobs/k', 'running');
    await engine.submit('k', spec());
  });

  it('is told to stop, and what has ended stays as it is', async () => {
    await submitted();
    answer('POST', '/api/jobs/k/stop', 'stop unknown');
    await engine.stop('k', 1500);
    expect(asked.at(-1)).toMatchObject({ method: 'POST', path: '/api/jobs/k/stop' });
    expect(readFileSync(join(jobs(), 'k/stop'), 'utf8')).toBe('1.500\n');
  });

  it('tells of its nodes', async () => {
    expect(await engine.nodes()).toEqual([
      {
        name: NODE,
        total: { cpus: 4, gpus: 2, memoryBytes: 2 ** 31 },
        free: { cpus: 1, gpus: 2, memoryBytes: 2 ** 31 - 3 * 2 ** 20 },
        isUp: true,
      },
    ]);
  });
});

describe('a Ray that can not be used', () => {
  it.each([
    [
      'refuses the job',
      'submit',
      'not a submission',
      'bad-input',
      /^Ray refuses the job: TypeError: JobSubmitRequest/,
    ],
    [
      'fails',
      'submit',
      { status: 500, text: 'No available agent' },
      'unavailable',
      /HTTP 500, No available agent/,
    ],
    ['wants a token', 'submit', { status: 401, text: 'no' }, 'unauthorized', /wants another token/],
    [
      'tells nonsense',
      'status',
      { status: 200, text: '{"status":"NEW"}' },
      'unavailable',
      /not what Ray 2.9 or newer/,
    ],
    [
      'is something else',
      'status',
      { status: 200, text: '<html>' },
      'unavailable',
      /not what Ray 2.9 or newer/,
    ],
  ])('%s', async (_what, operation, reply, code, message) => {
    const told = typeof reply === 'string' ? recorded(reply) : reply;
    answers.set('POST /api/jobs/', operation === 'submit' ? told : recorded('submit'));
    answers.set('GET /api/jobs/k', told);
    const run = async (): Promise<unknown> => {
      await engine.submit('k', spec());
      return engine.statuses(['k']);
    };
    await expect(run()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  it('is away, and works when it is back', async () => {
    await submitted();
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await expect(engine.statuses(['k'])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^Ray can't be reached at .*: .*ECONNREFUSED/) as string,
    });
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    answer('GET', '/api/jobs/k', 'running');
    expect((await engine.statuses(['k'])).get('k')).toMatchObject({ state: 'running' });
  });

  it('has no address', () => {
    for (const bad of ['', 'ray://head:10001', 'http://']) {
      expect(() => new RayEngine({ url: bad, folder })).toThrow(/is not the address of Ray's dashboard/);
    }
  });

  it('finds files that are not its own', async () => {
    await mkdir(join(jobs(), 'k'), { recursive: true });
    await writeFile(join(jobs(), 'k/job.sh'), '');
    await writeFile(join(jobs(), 'k/final.json'), '{');
    await expect(engine.statuses(['k'])).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('k/final.json is damaged') as string,
    });
  });
});
