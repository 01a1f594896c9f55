import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { OpenAI } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { workerFile } from '../../../base';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { OipClient } from '../../../serving';
import type { OipTensor } from '../../../serving';
import { writeZooModel, zooNetwork } from '../../../zoo';
import { runCli } from '../../test-support/run-cli';

let folder: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-serve-language-'));
  data = join(folder, 'data');
  const network = join(folder, 'net.onnx');
  await writeZooModel(zooNetwork('tiny-mlp'), network, { seed: 1, weights: 'inline' });
  const language = join(folder, 'tiny.gguf');
  writeFileSync(language, tinyChatModel());
  for (const path of [network, language]) {
    expect(await runCli(data, ['models', 'import', path])).toMatchObject({ code: 0 });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startServe(
  ...args: readonly string[]
): Promise<{ child: ChildProcess; url: string; models: unknown }> {
  const all = ['serve', '--tier', 'edge', '--port', '0', ...args, '--json'];
  const child = spawn(process.execPath, [workerFile('cli'), ...all], {
    env: { ...process.env, SLUICE_DATA_DIR: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, models } = JSON.parse(chunk.toString('utf8')) as { url: string; models: unknown };
  return { child, url, models };
}

const clientOf = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

async function inferOnce(url: string): Promise<readonly OipTensor[]> {
  const oip = new OipClient({ url });
  const { inputs } = await oip.modelMetadata('net');
  const zeros = inputs.map(({ name, datatype, shape }) => {
    const dims = shape.map((dim) => Math.max(1, dim));
    return { name, datatype, shape: dims, bytes: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)) };
  });
  const { outputs } = await oip.infer({ model: 'net', inputs: zeros });
  await oip.close();
  return outputs;
}

it('networks and language models side by side; SIGTERM lets a stream end, then the process ends with 0', async () => {
  const { child, url, models } = await startServe();
  expect(models).toEqual(['net', 'tiny']);
  const exited = once(child, 'exit');
  const client = clientOf(url);
  const request = {
    model: 'tiny',
    messages: [{ role: 'user' as const, content: 'Hello' }],
    max_completion_tokens: 1500,
    temperature: 0,
  };
  const stream = await client.chat.completions.create({ ...request, stream: true });
  let text = '';
  let finishReason: string | null | undefined;
  for await (const { choices } of stream) {
    if (text === '' && !child.killed) {
      expect(await inferOnce(url)).toHaveLength(1);
      child.kill('SIGTERM');
    }
    text += choices[0]?.delta.content ?? '';
    finishReason = choices[0]?.finish_reason;
  }
  expect(finishReason).toBe('length');
  expect((await exited)[0]).toBe(0);
  const args = ['generate', 'tiny', '--prompt', 'Hello', '--max-tokens', '1500', '--json'];
  expect(text).toBe((await runCli(data, args)).json()['text']);
});

it('--models chooses among both', async () => {
  const { child, url, models } = await startServe('--models', 'tiny', '--budget', '1MiB');
  expect(models).toEqual(['tiny']);
  const { data: listed } = await clientOf(url).models.list();
  expect(listed.map(({ id }) => id)).toEqual(['tiny']);
  const index = await fetch(`${url}/v2/repository/index`, { method: 'POST' });
  expect(await index.json()).toEqual([]);
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  expect((await exited)[0]).toBe(0);
});
