import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BadRequestError, OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { workerFile } from '../../../base';
import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { runCli } from '../../test-support/run-cli';

/** Long enough to be interrupted. */
const LONG_CONTEXT = 20_000;
const VERICACHE = ['--kv', 'vericache', '--compressor', 'streamingllm', '--ratio', '6'];

let folder: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-serve-vericache-'));
  data = join(folder, 'data');
  const file = join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel({ contextLength: LONG_CONTEXT }));
  expect(await runCli(data, ['models', 'import', file])).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let child: ChildProcess | undefined;
afterEach(() => end('SIGTERM'));

async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function serve(...args: readonly string[]): Promise<OpenAI> {
  await end('SIGTERM');
  const all = ['serve', '--tier', 'edge', '--port', '0', ...args, '--json'];
  child = spawn(process.execPath, [workerFile('cli'), ...all], {
    env: { ...process.env, SLUICE_DATA_DIR: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  const { url } = JSON.parse(chunk.toString('utf8')) as { url: string };
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
}

const CHAT = {
  model: 'tiny',
  messages: [{ role: 'user' as const, content: 'What flows over the sill is counted twice. '.repeat(9) }],
  max_completion_tokens: 150,
  ...{ seed: 17 },
};

interface Answer {
  readonly text: string;
  readonly fingerprint: string | undefined;
}

async function ask(client: OpenAI, more: object = {}): Promise<Answer> {
  const answer = await client.chat.completions.create({ ...CHAT, ...more, stream: false });
  return {
    text: answer.choices[0]?.message.content ?? '',
    fingerprint: (answer as { system_fingerprint?: string }).system_fingerprint,
  };
}

/** Of the server's requests. */
function sessions(): readonly string[] {
  const temporary = join(data, 'sessions', '.temporary');
  return existsSync(temporary) ? readdirSync(temporary, { recursive: true }).map(String) : [];
}

/** A reply that goes on until it is broken off. */
async function begin(client: OpenAI): Promise<{ readonly leave: () => Promise<void> }> {
  const more = { max_completion_tokens: LONG_CONTEXT - 1000, temperature: 0, stream: true as const };
  const stream = await client.chat.completions.create({ ...CHAT, ...more });
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  expect(sessions().length).toBeGreaterThan(1);
  return {
    leave: async () => {
      stream.controller.abort();
      await chunks.next().catch(() => undefined);
    },
  };
}

describe('a server over a compressed cache', () => {
  it('says the same as one over the full cache, whole and as it comes; lossy says that it is not', async () => {
    const full = await serve();
    const warm = await ask(full);
    const greedy = await ask(full, { temperature: 0 });
    const exact = await serve(...VERICACHE);
    expect(await ask(exact)).toEqual(warm);
    expect(await ask(exact, { temperature: 0 })).toEqual(greedy);
    const stream = await exact.chat.completions.create({ ...CHAT, stream: true });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    expect(text).toBe(warm.text);
    expect(sessions()).toEqual([]);
    const lossy = await serve('--kv', 'lossy', '--compressor', 'streamingllm', '--ratio', '6');
    expect((await ask(lossy)).fingerprint).not.toBe(warm.fingerprint);
  });

  it('keeps nothing of a reply whose client leaves, and answers the next', async () => {
    const client = await serve(...VERICACHE);
    const { leave } = await begin(client);
    await leave();
    await vi.waitFor(() => expect(sessions()).toEqual([]), { timeout: 10_000 });
    expect((await ask(client)).text).not.toBe('');
  });

  it('removes at its start what a killed one left', async () => {
    const { leave } = await begin(await serve(...VERICACHE));
    await end('SIGKILL');
    await leave();
    expect(sessions().length).toBeGreaterThan(1);
    await serve(...VERICACHE);
    expect(sessions()).toEqual([]);
  });

  it('refuses what does not fit its budget, and answers what does', async () => {
    const client = await serve(...VERICACHE, '--kv-budget', '2MiB');
    const long = { ...CHAT, max_completion_tokens: LONG_CONTEXT - 1000 };
    for (const stream of [false, true]) {
      const refused: unknown = await client.chat.completions
        .create({ ...long, stream })
        .catch((thrown: unknown) => thrown);
      expect(refused).toBeInstanceOf(BadRequestError);
      expect(refused).toMatchObject({ status: 400, code: 'context_length_exceeded' });
      expect((refused as Error).message).toMatch(
        /\d+ tokens and 19000 to generate: too many for the memory this server gives.* at least .*budget is 2\.00 MiB/,
      );
    }
    expect((await ask(client)).text).not.toBe('');
    expect(sessions()).toEqual([]);
  });
});

describe('before it starts', () => {
  it.each([
    [['--kv-budget', '1MiB'], /--kv-budget are for --kv vericache or lossy/],
    [['--kv', 'vericache', '--compressor', 'zip'], /zip/],
    [['--kv', 'vericache', '--ratio', '1'], /above 1/],
  ])('it refuses %j', async (args, message) => {
    const answer = await runCli(data, ['serve', '--tier', 'edge', '--port', '0', ...args, '--json']);
    expect(answer.code).toBe(2);
    expect(JSON.stringify(answer.json())).toMatch(message);
  });
});
