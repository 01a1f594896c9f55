import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { seededRandom, workerFile } from '../../base';
import type { ErrorCode } from '../../contract';
import { OipClient } from '../../serving';
import type { OipTensor } from '../../serving';
import { writeZooModel, zooNetwork } from '../../zoo';
import { runCli } from '../test-support/run-cli';

/** An eighth of the weights of `net`. */
const BUDGET = '2MiB';
const TOKEN = 'a-token-of-twenty-characters';

let folder: string;
let data: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-serve-'));
  data = join(folder, 'data');
  for (const [name, network] of [
    ['net', 'mobilenet-v1'],
    ['other', 'tiny-mlp'],
  ] as const) {
    const path = join(folder, `${network}.onnx`);
    await writeZooModel(zooNetwork(network), path, { seed: 1, weights: 'inline' });
    expect(await runCli(data, ['models', 'import', path, '--name', name])).toMatchObject({ code: 0 });
  }
  const { weightBytes } = (await runCli(data, ['models', 'inspect', 'net', '--json'])).json();
  expect(weightBytes).toBeGreaterThan(16e6);
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
  writeFileSync(join(folder, 'short'), 'short');
  writeFileSync(join(folder, 'empty'), '');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Served {
  readonly child: ChildProcess;
  readonly url: string;
  readonly printed: Readonly<Record<string, unknown>>;
  readonly exited: Promise<unknown[]>;
}

async function startServe(...args: readonly string[]): Promise<Served> {
  const all = ['serve', '--tier', 'edge', '--port', '0', ...args, '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), ...all], {
    env: { ...process.env, SLUICE_DATA_DIR: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const printed = JSON.parse(chunk.toString('utf8')) as Record<string, unknown>;
  return { child, url: String(printed['url']), printed, exited };
}

/** Random values of the model's inputs; free dimensions become 1. */
async function inputsOf(client: OipClient, model: string): Promise<OipTensor[]> {
  const random = seededRandom(7);
  const { inputs } = await client.modelMetadata(model);
  return inputs.map(({ name, datatype, shape }) => {
    const dims = shape.map((dim) => Math.max(1, dim));
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, random);
    return { name, datatype, shape: dims, bytes: new Uint8Array(values.buffer) };
  });
}

describe('sluice serve', () => {
  it('serves a network within a budget that does not hold it, bit for bit as one loaded whole', async () => {
    const whole = await startServe();
    const streamed = await startServe('--budget', BUDGET, '--models', 'net', '--grpc-port', '0');
    expect(whole.printed).toEqual({ url: whole.url, grpcUrl: null, tier: 'edge', models: ['net', 'other'] });
    expect(streamed.printed).toMatchObject({
      grpcUrl: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      models: ['net'],
    });
    const answers = [];
    for (const { url } of [whole, streamed]) {
      const client = new OipClient({ url });
      const inputs = await inputsOf(client, 'net');
      const answer = await client.infer({ model: 'net', inputs });
      expect(answer.times.computeMs).toBeGreaterThan(0);
      answers.push(answer.outputs);
      expect(await client.serverMetadata()).toMatchObject({
        name: 'sluice',
        extensions: expect.arrayContaining(['sluice_tier_edge']) as string[],
      });
      await client.close();
    }
    expect(answers[1]).toEqual(answers[0]);
    const client = new OipClient({ url: streamed.url });
    await expect(client.infer({ model: 'other', inputs: [] })).rejects.toMatchObject({ code: 'not-found' });
    await client.close();
    for (const { child, exited } of [whole, streamed]) {
      child.kill('SIGINT');
      expect((await exited)[0]).toBe(0);
    }
  });

  it('models are unloaded, loaded and share the budget', async () => {
    const { child, url, exited } = await startServe('--budget', BUDGET);
    const client = new OipClient({ url });
    const infer = async (model: string): Promise<unknown> =>
      client.infer({ model, inputs: await inputsOf(client, model) });
    await infer('net');
    await infer('other');
    await infer('net');
    await client.unload('net');
    await expect(infer('net')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('unloaded') as string,
    });
    await client.load('net');
    await infer('net');
    await client.close();
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
  });

  it('SIGTERM: every accepted request is answered, then the process ends with 0', async () => {
    const { child, url, exited } = await startServe('--token-file', join(folder, 'token'));
    const client = new OipClient({ url, token: TOKEN, retries: 0 });
    const inputs = await inputsOf(client, 'net');
    const asked = Array.from({ length: 8 }, () => client.infer({ model: 'net', inputs }));
    await vi.waitFor(async () => expect(await acceptedBy(url)).toBe(asked.length));
    child.kill('SIGTERM');
    for (const { outputs } of await Promise.all(asked)) expect(outputs).toHaveLength(1);
    expect((await exited)[0]).toBe(0);
    await client.close();
  });
});

/** Inferences answered, running and waiting. */
async function acceptedBy(url: string): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const stats = (await (await fetch(`${url}/v2/models/net/stats`, { headers })).json()) as {
    readonly model_stats: readonly [{ readonly inference_count: number }];
    readonly queue: { readonly waiting: number; readonly running: number };
  };
  return stats.model_stats[0].inference_count + stats.queue.waiting + stats.queue.running;
}

/** [arguments, exit code, error code, message] */
const BAD: readonly (readonly [readonly string[], number, ErrorCode, RegExp])[] = [
  [[], 2, 'bad-input', /--tier/],
  [['--tier', 'moon'], 2, 'bad-input', /Allowed choices/],
  [['--tier', 'edge', '--port', 'x'], 2, 'bad-input', /0 to 65535/],
  [['--tier', 'edge', '--queue', '0'], 2, 'bad-input', /whole number from 1/],
  [['--tier', 'edge', '--host', '0.0.0.0'], 2, 'bad-input', /--token-file/],
  [['--tier', 'edge', '--token-file', 'FOLDER/none'], 2, 'not-found', /--token-file/],
  [['--tier', 'edge', '--token-file', 'FOLDER/empty'], 2, 'bad-input', /expected one token/],
  [['--tier', 'edge', '--token-file', 'FOLDER/short'], 2, 'bad-input', /at least 16/],
  [['--tier', 'edge', '--tls-cert', 'FOLDER/token'], 2, 'bad-input', /both --tls-cert and --tls-key/],
  [['--tier', 'edge', '--tls-cert', 'FOLDER/token', '--tls-key', 'FOLDER/token'], 2, 'bad-input', /PEM/],
  [['--tier', 'edge', '--budget', 'much'], 2, 'bad-input', /--budget: .*"much"/],
  [['--tier', 'edge', '--models', 'net,nobody'], 2, 'not-found', /nobody/],
];

it.each(BAD)('serve %j exits with %i, %s', async (args, code, error, message) => {
  const named = args.map((arg) => arg.replace('FOLDER', folder));
  const answer = await runCli(data, ['serve', ...named, '--json']);
  expect(answer.json()).toMatchObject({
    error: { code: error, message: expect.stringMatching(message) as string },
  });
  expect(answer.code).toBe(code);
});
