import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ask as askServer, CHAT, chat, eventsOf, MESSAGES, plain, TEXT } from '../test-support/api-client';
import type { Answer } from '../test-support/api-client';
import type { FakeLanguages } from '../test-support/fake-languages';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

const NOW_MS = 1_750_000_000_900;

let server: TestServer;
let languages: FakeLanguages;
beforeAll(async () => {
  server = await startTestServer({ nowMs: () => NOW_MS });
  ({ languages } = server);
});
afterAll(() => server.close());

const ask = (path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
  askServer(`${server.url}${path}`, body, headers);

const HEAD = { created: 1_750_000_000, model: 'parrot', system_fingerprint: 'fp_fake' };
const USAGE = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const TIMINGS = {
  queue_ms: 0,
  prompt_n: 5,
  prompt_ms: 10,
  prompt_per_second: 500,
  predicted_n: 3,
  predicted_ms: 20,
  predicted_per_second: 100,
};

describe('answers', () => {
  it('a conversation', async () => {
    const answer = await ask(CHAT, chat());
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/) as string,
      object: 'chat.completion',
      ...HEAD,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello wörld', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: USAGE,
      timings: TIMINGS,
    });
  });

  it('a text, cut at the most tokens', async () => {
    expect((await ask(TEXT, plain({ max_tokens: 2 }))).json()).toEqual({
      id: expect.stringMatching(/^cmpl-[0-9a-f]{32}$/) as string,
      object: 'text_completion',
      ...HEAD,
      choices: [{ index: 0, text: 'Hello ', logprobs: null, finish_reason: 'length' }],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
      timings: { ...TIMINGS, predicted_n: 2 },
    });
  });

  it('a conversation as it comes', async () => {
    const answer = await ask(CHAT, chat({ stream: true }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const { documents, isDone } = eventsOf(answer.text);
    expect(isDone).toBe(true);
    expect(new Set(documents.map(({ id }) => id)).size).toBe(1);
    const chunk = (delta: object, finishReason: string | null = null): object => ({
      id: expect.stringMatching(/^chatcmpl-/) as string,
      object: 'chat.completion.chunk',
      ...HEAD,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    });
    expect(documents).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo ' }),
      chunk({ content: 'wörld' }),
      { ...chunk({}, 'stop'), timings: TIMINGS },
    ]);
  });

  it('a text as it comes, with what it took at the end', async () => {
    const request = plain({ stream: true, stream_options: { include_usage: true } });
    const { documents, isDone } = eventsOf((await ask(TEXT, request)).text);
    expect(isDone).toBe(true);
    const chunk = (text: string, finishReason: string | null = null): object => ({
      id: expect.stringMatching(/^cmpl-/) as string,
      object: 'text_completion',
      ...HEAD,
      choices: [{ index: 0, text, logprobs: null, finish_reason: finishReason }],
      usage: null,
    });
    expect(documents).toEqual([
      chunk('Hel'),
      chunk('lo '),
      chunk('wörld'),
      { ...chunk('', 'stop'), timings: TIMINGS },
      { ...chunk(''), choices: [], usage: USAGE },
    ]);
  });

  it('models, but those that are broken', async () => {
    const [parrot, second] = languages.models;
    languages.models = [parrot!, { ...second!, isReady: false, reason: 'half of its file is missing' }];
    const entry = {
      id: 'parrot',
      object: 'model',
      created: 1_700_000_000,
      owned_by: 'sluice',
      context_length: 100,
    };
    expect((await ask('/v1/models')).json()).toEqual({ object: 'list', data: [entry] });
    expect((await ask('/v1/models/parrot')).json()).toEqual(entry);
    const broken = await ask(CHAT, chat({ model: 'second' }));
    expect(broken.json()['error']).toMatchObject({
      message: 'second is not served now: half of its file is missing',
      type: 'server_error',
      code: 'unavailable',
    });
    expect(broken.status).toBe(503);
    languages.models = [parrot!, second!];
  });
});

const SIXTEEN = Array.from({ length: 16 }, (_, index) => `stop ${index}`);

/** [what, path, request, as the model gets it] */
const UNDERSTOOD: readonly (readonly [string, string, object, object])[] = [
  [
    'the defaults of a conversation',
    CHAT,
    chat(),
    {
      model: 'parrot',
      prompt: { kind: 'conversation', messages: MESSAGES },
      temperature: 1,
      topP: 1,
      minP: 0,
      stop: [],
    },
  ],
  [
    'the defaults of a text',
    TEXT,
    plain(),
    { prompt: { kind: 'text', text: 'Hi' }, temperature: 1, maxTokens: 16 },
  ],
  [
    'every parameter',
    CHAT,
    chat({ temperature: 0, top_p: 0.5, min_p: 0.1, seed: 7, stop: ['a', 'b'], max_completion_tokens: 9 }),
    { temperature: 0, topP: 0.5, minP: 0.1, seed: 7, stop: ['a', 'b'], maxTokens: 9 },
  ],
  ['the old limit', CHAT, chat({ max_tokens: 4 }), { maxTokens: 4 }],
  ['both limits, the same', CHAT, chat({ max_tokens: 4, max_completion_tokens: 4 }), { maxTokens: 4 }],
  ['one stop text', CHAT, chat({ stop: 'end' }), { stop: ['end'] }],
  ['sixteen stop texts', CHAT, chat({ stop: SIXTEEN }), { stop: SIXTEEN }],
  [
    'every role, texts in parts, and what an assistant said before',
    CHAT,
    chat({
      messages: [
        { role: 'system', content: 's' },
        { role: 'developer', content: 'd' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'assistant', content: 'c', refusal: null, tool_calls: [], annotations: [] },
      ],
    }),
    {
      prompt: {
        kind: 'conversation',
        messages: [
          { role: 'system', content: 's' },
          { role: 'system', content: 'd' },
          { role: 'user', content: 'a\nb' },
          { role: 'assistant', content: 'c' },
        ],
      },
    },
  ],
  ['a list of one text', TEXT, plain({ prompt: ['Hi'] }), { prompt: { kind: 'text', text: 'Hi' } }],
  ['tokens', TEXT, plain({ prompt: [3, 4] }), { prompt: { kind: 'tokens', tokens: [3, 4] } }],
  [
    'a list of one list of tokens',
    TEXT,
    plain({ prompt: [[3]] }),
    { prompt: { kind: 'tokens', tokens: [3] } },
  ],
  [
    'what asks for nothing, or is said aside',
    CHAT,
    chat({
      n: 1,
      frequency_penalty: 0,
      presence_penalty: -0,
      logit_bias: {},
      logprobs: false,
      top_logprobs: null,
      tools: [],
      tool_choice: 'none',
      response_format: { type: 'text' },
      modalities: ['text'],
      store: false,
      user: 'me',
      metadata: { a: 'b' },
      service_tier: 'auto',
      stop: null,
      seed: null,
      temperature: null,
      max_tokens: null,
      stream_options: null,
    }),
    { temperature: 1, stop: [] },
  ],
  ['the same of a text', TEXT, plain({ best_of: 1, echo: false, suffix: null, logprobs: null, n: 1 }), {}],
];

it.each(UNDERSTOOD)('understands %s', async (_what, path, request, expected) => {
  expect(await ask(path, request)).toMatchObject({ status: 200 });
  const {
    isStreamed: _s,
    includesUsage: _u,
    ...got
  } = languages.requests.at(-1) as unknown as Record<string, unknown>;
  expect(got).toMatchObject(expected);
  if (!('seed' in request)) expect(got).not.toHaveProperty('seed');
});
