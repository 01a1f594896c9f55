import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { AuthenticationError, BadRequestError, InternalServerError, NotFoundError, OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { engineClockMs } from '../../../base';
import { ChatTemplate, generate, openLanguageModel } from '../../../llm';
import type { LanguageModel } from '../../../llm';
import { ggufBytes } from '../../../llm/test-support/gguf-writer';
import { tinyChatModelParts, tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { OrtEnvironment } from '../../../ort';
import { startInferenceServer } from '../../../serving';
import type { InferenceServer } from '../../../serving';
import { LanguageLibrary } from '../library/language-library';
import { LibraryLanguages } from './language-service';
import type { ReplyGenerator } from './language-service';

const TOKEN = 'a-token-of-twenty-characters';
/** Long enough to be interrupted: its greedy text goes round in circles and never ends. */
const LONG_CONTEXT = 20_000;
const SEED = 5;

let folder: string;
let library: LanguageLibrary;
/** The model of the library, opened apart from the server. */
let model: LanguageModel;
let environment: OrtEnvironment;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-openai-'));
  library = new LanguageLibrary(join(folder, 'data'));
  await add('tiny', tinyChatModel());
  await add('long', tinyChatModel({ contextLength: LONG_CONTEXT }));
  const { metadata, tensors } = tinyChatModelParts();
  const isNoTemplate = ([key]: readonly [string, ...unknown[]]): boolean => key !== 'tokenizer.chat_template';
  await add('plain', ggufBytes({ metadata: metadata.filter(isNoTemplate), tensors }));
  environment = OrtEnvironment.open({ threads: 2 });
  model = await openLanguageModel(library.entry('tiny').path, environment);
});
afterAll(() => {
  model.close();
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

async function add(name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, bytes);
  await library.import({ path, name });
}

let languages: LibraryLanguages;
let server: InferenceServer;
let client: OpenAI;
afterEach(async () => {
  await server.close();
  languages.close();
});

async function serve(generator?: ReplyGenerator): Promise<void> {
  languages = new LibraryLanguages({
    library,
    threads: 2,
    platform: 'test',
    newSeed: () => SEED,
    ...(generator && { generator }),
  });
  server = await startInferenceServer({
    models: NO_NETWORKS,
    languages,
    tier: 'edge',
    version: '0.0.0',
    appRoot: resolve(import.meta.dirname, '../../../..'),
    nowMs: engineClockMs,
    port: 0,
    token: TOKEN,
    queueCapacity: 1,
  });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: TOKEN, maxRetries: 0 });
}

const NO_NETWORKS = {
  list: () => [],
  load: () => Promise.resolve(),
  unload: () => Promise.resolve(),
  infer: () => Promise.reject(new Error('There are no networks.')),
};

const MESSAGES = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: 'Hello' },
];
const CHAT = { model: 'tiny', messages: MESSAGES, max_completion_tokens: 24 };
const seeded = (seed: number): typeof CHAT => ({ ...CHAT, ...{ seed } });
const LONG = {
  ...CHAT,
  model: 'long',
  max_completion_tokens: LONG_CONTEXT - 200,
  temperature: 0,
  stream: true,
} as const;

/** What `generate` of core/llm says to the same. */
function expected(
  prompt: readonly { role: 'system' | 'user'; content: string }[] | string,
  more: { readonly seed?: number; readonly temperature?: number; readonly stop?: readonly string[] } = {},
): ReturnType<typeof generate> {
  const { tokenizer, file } = model;
  const tokens =
    typeof prompt === 'string'
      ? tokenizer.encode(prompt, { addBos: true })
      : tokenizer.encode(new ChatTemplate(file, tokenizer.chatTemplate).render(prompt, tokenizer), {
          addBos: false,
        });
  const { seed = SEED, temperature = 1, stop = [] } = more;
  return generate(model, tokens, { maxTokens: 24, sampling: { temperature, seed }, stop });
}

/** Others may use the machine too. */
const eventually = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000 });

async function metric(line: string): Promise<number> {
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const found = (await answer.text()).split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length) ?? 0);
}

const refusal = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => expect.unreachable('it was answered'),
    (thrown: unknown) => thrown,
  );

describe("OpenAI's own client", () => {
  it('lists the models and asks for one', async () => {
    await serve();
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(['long', 'plain', 'tiny']);
    const tiny = await client.models.retrieve('tiny');
    expect(tiny).toMatchObject({ id: 'tiny', object: 'model', owned_by: 'sluice', context_length: 2048 });
    expect(tiny.created).toBe(Math.floor(Date.parse(library.entry('tiny').importedAt) / 1000));
  });

  it('gets the text that generate gives, whole and as it comes, by the same seed', async () => {
    await serve();
    const wanted = await expected(MESSAGES, { seed: 11 });
    const whole = await client.chat.completions.create(seeded(11));
    expect(whole.choices[0]?.message).toMatchObject({ role: 'assistant', content: wanted.text });
    expect(whole.choices[0]?.finish_reason).toBe(wanted.finishReason === 'length' ? 'length' : 'stop');
    expect(whole.usage).toEqual({
      prompt_tokens: wanted.promptTokens,
      completion_tokens: wanted.tokens.length,
      total_tokens: wanted.promptTokens + wanted.tokens.length,
    });
    const fingerprint = expect.stringMatching(/^fp_[0-9a-f]{12}$/) as string;
    expect(whole).toMatchObject({
      system_fingerprint: fingerprint,
      timings: { predicted_n: wanted.tokens.length },
    });
    const stream = await client.chat.completions.create({
      ...seeded(11),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    const chunks = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      chunks.push(chunk);
    }
    expect(text).toBe(wanted.text);
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe(whole.choices[0]?.finish_reason);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
    const other = await client.chat.completions.create(seeded(12));
    expect(other.choices[0]?.message.content).not.toBe(wanted.text);
  });

  it('its stream helper puts the same together', async () => {
    await serve();
    const helper = client.chat.completions.stream(seeded(11));
    expect(await helper.finalContent()).toBe((await expected(MESSAGES, { seed: 11 })).text);
  });

  it('continues texts and tokens', async () => {
    await serve();
    const wanted = await expected('Once upon', { seed: 3 });
    const request = { model: 'tiny', max_tokens: 24, seed: 3 };
    for (const prompt of [
      'Once upon',
      ['Once upon'],
      model.tokenizer.encode('Once upon', { addBos: true }),
    ]) {
      const { choices } = await client.completions.create({ ...request, prompt });
      expect(choices[0]?.text).toBe(wanted.text);
    }
    let text = '';
    for await (const { choices } of await client.completions.create({
      ...request,
      prompt: 'Once upon',
      stream: true,
    }))
      text += choices[0]?.text ?? '';
    expect(text).toBe(wanted.text);
    const short = await client.completions.create({ model: 'tiny', prompt: 'Once upon', temperature: 0 });
    expect(short.usage?.completion_tokens).toBeLessThanOrEqual(16);
  });

  it('greedy, stopped by a text, and with any seed', async () => {
    await serve();
    const content = async (more: object): Promise<string | null | undefined> =>
      (await client.chat.completions.create({ ...CHAT, ...more })).choices[0]?.message.content;
    expect(await content({ temperature: 0 })).toBe((await expected(MESSAGES, { temperature: 0 })).text);
    const whole = await expected(MESSAGES);
    expect(await content({})).toBe(whole.text);
    const stop = whole.text.slice(5, 8);
    const stopped = await client.chat.completions.create({ ...CHAT, stop: ['never there', stop] });
    expect(stopped.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: whole.text.slice(0, whole.text.indexOf(stop)) },
    });
  });

  it('gets errors of its own classes', async () => {
    await serve();
    const unknown = await refusal(client.chat.completions.create({ ...CHAT, model: 'gpt-5' }));
    expect(unknown).toBeInstanceOf(NotFoundError);
    expect(unknown).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect((unknown as Error).message).toContain('language models: long, plain, tiny');
    const long = await refusal(client.chat.completions.create({ ...CHAT, max_completion_tokens: 4000 }));
    expect(long).toBeInstanceOf(BadRequestError);
    expect(long).toMatchObject({ code: 'context_length_exceeded' });
    expect((long as Error).message).toMatch(/\d+ tokens and 4000 to generate; the model's context is 2048/);
    const huge = await refusal(client.completions.create({ model: 'tiny', prompt: 'a'.repeat(30_000) }));
    expect(huge).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    expect((huge as Error).message).toMatch(
      /30000 bytes; the model's context of 2048 tokens can't hold more/,
    );
    const tools = await refusal(client.chat.completions.create({ ...CHAT, n: 2, stream: true }));
    expect(tools).toMatchObject({ status: 400, param: 'n', code: 'unsupported_parameter' });
    const token = await refusal(client.completions.create({ model: 'tiny', prompt: [5, 99_999] }));
    expect(token).toMatchObject({ status: 400, param: 'prompt' });
    expect((token as Error).message).toContain('expected tokens from 0 to 319, found 99999');
    const empty = await refusal(client.completions.create({ model: 'tiny', prompt: '' }));
    expect(empty).toMatchObject({ status: 400 });
    const template = await refusal(client.chat.completions.create({ ...CHAT, model: 'plain' }));
    expect(template).toBeInstanceOf(BadRequestError);
    expect((template as Error).message).toContain('no chat template');
    expect((await client.completions.create({ model: 'plain', prompt: 'x' })).choices).toHaveLength(1);
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    expect(await refusal(stranger.models.list())).toBeInstanceOf(AuthenticationError);
  });
});

describe('while a long reply is generated', () => {
  it('health and figures answer; the client leaves and the reply ends', async () => {
    await serve();
    const stream = await client.chat.completions.create(LONG);
    let chunks = 0;
    let hasEnded = false;
    const reading = (async () => {
      for await (const _chunk of stream) chunks += 1;
      hasEnded = true;
    })();
    await eventually(() => expect(chunks).toBeGreaterThan(2));
    expect(await (await fetch(`${server.url}/v2/health/live`)).json()).toEqual({ live: true });
    expect(await metric('sluice_language_running{model="long",tier="edge"}')).toBe(1);
    expect(hasEnded).toBe(false);
    stream.controller.abort();
    await reading;
    await eventually(async () =>
      expect(
        await metric('sluice_language_requests_total{model="long",outcome="cancelled",tier="edge"}'),
      ).toBe(1),
    );
    const generated = await metric('sluice_language_generated_tokens_total{model="long",tier="edge"}');
    expect(generated).toBeGreaterThan(0);
    expect(generated).toBeLessThan(LONG.max_completion_tokens);
    const next = await client.chat.completions.create({ ...CHAT, model: 'long' });
    expect(next.choices[0]?.message.content).toBe((await expected(MESSAGES)).text);
  });

  it('one request waits and the others are told to come back', async () => {
    await serve();
    const stream = await client.chat.completions.create(LONG);
    const leave = new AbortController();
    const waiting = refusal(
      client.chat.completions.create({ ...CHAT, model: 'long' }, { signal: leave.signal }),
    );
    await eventually(async () =>
      expect(await metric('sluice_language_queue_length{model="long",tier="edge"}')).toBe(1),
    );
    const refused = await refusal(client.chat.completions.create({ ...CHAT, model: 'long' }));
    expect(refused).toBeInstanceOf(InternalServerError);
    expect(refused).toMatchObject({ status: 503, code: 'overloaded' });
    expect((refused as InternalServerError).headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    leave.abort();
    await waiting;
    stream.controller.abort();
  });
});

describe('models in memory', () => {
  it('are loaded once, again when they were replaced, and freed at the end', async () => {
    const closed: string[] = [];
    const opened = new Set<LanguageModel>();
    await serve((whole, prompt, options) => {
      if (!opened.has(whole)) {
        const name = ['first', 'second'][opened.size] ?? '';
        const { close } = whole;
        Object.assign(whole, {
          close: () => {
            closed.push(name);
            close();
          },
        });
      }
      opened.add(whole);
      return generate(whole, prompt, options);
    });
    await add('changing', tinyChatModel());
    const content = async (): Promise<string | null | undefined> =>
      (await client.chat.completions.create({ ...CHAT, model: 'changing' })).choices[0]?.message.content;
    const first = await content();
    expect(await content()).toBe(first);
    expect(opened.size).toBe(1);
    const fingerprint = languages.list().find(({ name }) => name === 'changing')?.fingerprint;
    await library.remove('changing');
    expect(await refusal(content())).toBeInstanceOf(NotFoundError);
    await add('changing', tinyChatModel({ seed: 99 }));
    expect(await content()).not.toBe(first);
    expect(opened.size).toBe(2);
    expect(languages.list().find(({ name }) => name === 'changing')?.fingerprint).not.toBe(fingerprint);
    expect(closed).toEqual(['first']);
    await server.close();
    languages.close();
    expect(closed).toEqual(['first', 'second']);
    await library.remove('changing');
  });
});
