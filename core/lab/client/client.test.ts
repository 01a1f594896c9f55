import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { seededRandom, systemClock, workerFile } from '../../base';
import { DEFAULT_LIMITS } from '../../serving';
import { Lab } from '../lab';
import { startRun } from '.';

const PROGRAM = join(import.meta.dirname, 'test-support', 'logging.mjs');

let folder: string;
let lab: Lab;
let url: string;
const relays: Server[] = [];

beforeAll(async () => {
  vi.stubEnv('MLFLOW_RUN_ID', undefined);
  folder = mkdtempSync(join(tmpdir(), 'sluice-lab-client-'));
  lab = await Lab.open({
    folder,
    clock: systemClock,
    random: seededRandom(5),
    defaultUser: 'ada',
    onFault: (message) => expect.unreachable(message),
  });
  const serving = { host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS, launchToken: 'a-token-of-tests' };
  url = await lab.serve(serving);
});
afterEach(() => {
  for (const relay of relays.splice(0)) relay.close();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lab.close();
  rmSync(folder, { recursive: true });
});

function stepsOf(runId: string, key: string): readonly number[] {
  const points = lab.tracking.history(runId, key);
  return Array.from({ length: points.length }, (_, at) => Number(points.at(at).step));
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, step) => step);

/** The lab, but what `fault` says happens to a call: it never arrives, or its answer does not. */
async function relayed(fault: (call: number) => 'unheard' | 'unanswered' | undefined): Promise<string> {
  let calls = 0;
  const relay = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls += 1;
      const what = fault(calls);
      if (what === 'unheard') response.destroy();
      else void pass(request.method ?? '', request.url ?? '', Buffer.concat(chunks), response, what);
    });
  });
  relays.push(relay.listen(0, '127.0.0.1'));
  await new Promise((resolve) => relay.once('listening', resolve));
  return `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

async function pass(
  method: string,
  path: string,
  body: Buffer<ArrayBuffer>,
  response: ServerResponse,
  fault: 'unanswered' | undefined,
): Promise<void> {
  const answer = await fetch(`${url}${path}`, { method, ...(method !== 'GET' && { body }) });
  const text = await answer.text();
  if (fault) response.destroy();
  else response.writeHead(answer.status).end(text);
}

describe('the client for Node programs', () => {
  it('is one file that needs nothing but Node', () => {
    const required = [...readFileSync(workerFile('lab-client'), 'utf8').matchAll(/require\(["']([^"']+)/g)];
    expect(required.map(([, name]) => name).filter((name) => !name?.startsWith('node:'))).toEqual([]);
  });

  it('loses nothing of a program that ends without ending its run', async () => {
    const env = { ...process.env, MLFLOW_TRACKING_URI: url };
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { env });
    const { info, params, tags, metrics } = lab.tracking.runs.get(stdout.trim());
    expect(info.status).toBe('FINISHED');
    expect(lab.tracking.experiments.get(info.experimentId).name).toBe('of-a-program');
    expect(stepsOf(info.runId, 'loss')).toEqual(upTo(2500));
    expect(metrics.find(({ key }) => key === 'odd')?.value).toBeNaN();
    expect(params.map(({ key, value }) => `${key}=${value}`).sort()).toEqual([
      'depth=4',
      'isTied=true',
      'lr=0.1',
    ]);
    expect(tags).toContainEqual({ key: 'stage', value: 'last' });
    const artifact = await fetch(`${url}/get-artifact?run_id=${info.runId}&path=program.mjs`);
    expect(await artifact.text()).toBe(readFileSync(PROGRAM, 'utf8'));
  });

  it('sends everything once and in order over a link that fails', async () => {
    const random = seededRandom(3);
    const through = await relayed(() => {
      const drawn = random();
      return drawn < 0.25 ? 'unheard' : drawn < 0.4 ? 'unanswered' : undefined;
    });
    const run = await startRun({ url: through, flushMs: 1 });
    for (const step of upTo(300)) {
      run.logMetric('loss', step, step);
      if (step % 30 === 0) await run.flush();
    }
    await run.end('KILLED');
    expect(stepsOf(run.runId, 'loss')).toEqual(upTo(300));
    expect(lab.tracking.runs.get(run.runId).info.status).toBe('KILLED');
    expect(() => run.logParam('late', 1)).toThrow(/has ended: param late comes too late/);
  });

  it('keeps what it could not send, and sends it once the server is back', async () => {
    let isAway = false;
    const through = await relayed(() => (isAway ? 'unheard' : undefined));
    const run = await startRun({ url: through, patienceMs: 50, flushMs: 60_000 });
    isAway = true;
    run.logMetric('loss', 0, 0);
    await expect(run.flush()).rejects.toThrow(/log-batch: fetch failed/);
    run.logMetric('loss', 1, 1);
    await expect(run.end()).rejects.toThrow(/log-batch: fetch failed/);
    isAway = false;
    await run.end();
    await run.end('FAILED');
    expect(lab.tracking.runs.get(run.runId).info.status).toBe('FINISHED');
    expect(stepsOf(run.runId, 'loss')).toEqual([0, 1]);
  });

  it('tells of what is refused, and sends the rest', async () => {
    const faults: string[] = [];
    const run = await startRun({ url, onFault: ({ message }) => faults.push(message) });
    run.logParam('lr', 0.1);
    for (const step of upTo(20)) run.logMetric('loss', step, step);
    run.logParam('lr', 0.2);
    run.logMetric('a\nb', 1);
    for (const step of upTo(20)) run.logMetric('accuracy', step, step);
    await run.end();
    expect(faults).toHaveLength(2);
    expect(faults[0]).toMatch(/400 .*lr/);
    expect([stepsOf(run.runId, 'loss'), stepsOf(run.runId, 'accuracy')]).toEqual([upTo(20), upTo(20)]);
    expect(lab.tracking.runs.get(run.runId).params).toEqual([{ key: 'lr', value: '0.1' }]);
  });

  it('registers a model', async () => {
    const run = await startRun({ url, name: 'with-a-model' });
    await run.logArtifact('model/model.onnx', Uint8Array.of(1, 2, 3));
    expect(await run.registerModel('of-tests', 'model')).toBe(1);
    expect(await run.registerModel('of-tests', 'model')).toBe(2);
    await run.end();
    expect(lab.registry.versions.get('of-tests', 2)).toMatchObject({ runId: run.runId });
  });

  it.each([
    ['no address', {}, /MLFLOW_TRACKING_URI or as url, found nothing/],
    ['no server', { url: 'http://127.0.0.1:9', patienceMs: 1 }, /127\.0\.0\.1:9.*fetch failed/],
    ['an unknown run', { runId: '0'.repeat(32) }, /404 .*run/i],
  ])('says what is wrong with %s', async (what, options, message) => {
    const given = what === 'an unknown run' ? { url, ...options } : options;
    await expect(startRun(given)).rejects.toThrow(message);
  });
});
