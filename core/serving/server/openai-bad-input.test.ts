import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { ask as askServer, CHAT, chat, eventsOf, MESSAGES, plain, TEXT } from '../test-support/api-client';
import type { Answer } from '../test-support/api-client';
import { contextFault } from '../test-support/fake-languages';
import type { FakeLanguages } from '../test-support/fake-languages';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

let server: TestServer;
let languages: FakeLanguages;
beforeAll(async () => {
  server = await startTestServer({ limits: { bodyBytes: 60_000 } });
  ({ languages } = server);
});
afterAll(() => server.close());
beforeEach(() => Object.assign(languages, { fault: undefined, faultAfter: 0 }));

const ask = (path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
  askServer(`${server.url}${path}`, body, headers);

const MANY = new Array<object>(10_001).fill({});

/** [path, request, param, code, message] of requests that are answered with 400. */
const REFUSED: readonly (readonly [string, unknown, string | null, string | null, RegExp])[] = [
  [CHAT, '{"model":', null, null, /expected 9 bytes of JSON, found .*JSON/],
  [CHAT, '', null, null, /expected 0 bytes of JSON/],
  [CHAT, new Uint8Array([0x22, 0xff, 0x22]), null, null, /not UTF-8/],
  [CHAT, '[]', null, null, /The body: .*expected object/],
  [CHAT, { messages: MESSAGES }, 'model', null, /model: .*expected string/],
  [CHAT, { model: 'parrot' }, 'messages', null, /messages: .*expected array/],
  [CHAT, chat({ messages: [] }), 'messages', null, /at least one message/],
  [CHAT, chat({ messages: [{ content: 'x' }] }), 'messages[0].role', null, /found none/],
  [
    CHAT,
    chat({ messages: [{ role: 'tool', content: 'x', tool_call_id: 'a' }] }),
    'messages[0].role',
    null,
    /expected system, developer, user, assistant; found "tool".*messages\[0\]\.tool_call_id/,
  ],
  [CHAT, chat({ messages: [{ role: 'user' }] }), 'messages[0].content', null, /a text or an array/],
  [
    CHAT,
    chat({ messages: [{ role: 'assistant', content: null }] }),
    'messages[0].content',
    null,
    /a text or/,
  ],
  [CHAT, chat({ messages: [{ role: 'user', content: [] }] }), 'messages[0].content', null, /a text or/],
  [
    CHAT,
    chat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }),
    'messages[0].content[0]',
    'unsupported_value',
    /"image_url" are not supported/,
  ],
  [
    CHAT,
    chat({ messages: [{ role: 'user', content: [{ type: 'text' }, null] }] }),
    'messages[0].content[0].text',
    null,
    /content\[1\]: expected a part with a type/,
  ],
  [
    CHAT,
    chat({ messages: [{ role: 'user', content: 'x', name: 'Ann' }] }),
    'messages[0].name',
    'unsupported_parameter',
    /name: is not supported/,
  ],
  [CHAT, chat({ messages: MANY }), 'messages', null, /at most 10000/],
  [CHAT, chat({ messages: [{ role: 'user', content: MANY }] }), 'messages[0].content', null, /at most 10000/],
  [
    CHAT,
    chat({ messages: MANY.slice(0, 100) }),
    'messages[0].role',
    null,
    /^(messages\[\d+\][^;]*; found none; messages[^;]*; ){10}and 180 others\.$/,
  ],
  [CHAT, chat({ temperature: 2.5 }), 'temperature', null, /temperature: .*2/],
  [CHAT, chat({ temperature: 'hot' }), 'temperature', null, /expected number/],
  [CHAT, chat({ top_p: 0 }), 'top_p', null, /top_p/],
  [CHAT, chat({ min_p: 1.5 }), 'min_p', null, /min_p/],
  [CHAT, chat({ seed: -1 }), 'seed', null, /seed/],
  [CHAT, chat({ seed: 1.5 }), 'seed', null, /seed/],
  [CHAT, chat({ seed: 2 ** 32 }), 'seed', null, /4294967295/],
  [CHAT, chat({ stop: [1] }), 'stop', null, /a text or an array of at most 16 texts/],
  [CHAT, chat({ stop: ['a', ''] }), 'stop[1]', null, />=1 characters/],
  [CHAT, chat({ stop: '' }), 'stop', null, />=1 characters/],
  [CHAT, chat({ stop: new Array<string>(17).fill('a') }), 'stop', null, /at most 16/],
  [CHAT, chat({ max_tokens: 0 }), 'max_tokens', null, /max_tokens/],
  [CHAT, chat({ max_tokens: 4, max_completion_tokens: 5 }), 'max_tokens', null, /send one of them/],
  [CHAT, chat({ stream: 'yes' }), 'stream', null, /expected boolean/],
  [CHAT, chat({ stream_options: { include_usage: true } }), 'stream_options', null, /for streams/],
  [
    CHAT,
    chat({ stream: true, stream_options: { include_obfuscation: true } }),
    'stream_options.include_obfuscation',
    'unsupported_parameter',
    /send false/,
  ],
  ...(
    [
      ['n', 2],
      ['frequency_penalty', 0.5],
      ['presence_penalty', -1],
      ['logit_bias', { 5: 1 }],
      ['logprobs', true],
      ['top_logprobs', 3],
      ['tools', [{ type: 'function', function: { name: 'f' } }]],
      ['tool_choice', 'required'],
      ['functions', [{ name: 'f' }]],
      ['function_call', { name: 'f' }],
      ['response_format', { type: 'json_object' }],
      ['modalities', ['text', 'audio']],
      ['audio', { voice: 'alloy', format: 'wav' }],
      ['moderation', { model: 'm' }],
      ['prediction', { type: 'content', content: 'x' }],
      ['reasoning_effort', 'high'],
      ['verbosity', 'low'],
      ['web_search_options', {}],
      ['store', true],
    ] as const
  ).map(
    ([name, value]) =>
      [
        CHAT,
        chat({ [name]: value }),
        name,
        'unsupported_parameter',
        new RegExp(`^${name}: is not supported`),
      ] as const,
  ),
  [
    CHAT,
    chat({ top_k: 40, n: 3 }),
    'n',
    'unsupported_parameter',
    /n: is not supported.*send 1; top_k: is no/,
  ],
  [CHAT, chat({ prompt: 'x' }), 'prompt', 'unknown_parameter', /prompt: is no parameter/],
  [CHAT, '{"model":"parrot","messages":[],"__proto__":{"n":3}}', 'messages', null, /__proto__/],
  [TEXT, { model: 'parrot' }, 'prompt', null, /several prompts send several requests/],
  [TEXT, plain({ prompt: null }), 'prompt', null, /expected a text/],
  [TEXT, plain({ prompt: [] }), 'prompt', null, /expected a text/],
  [TEXT, plain({ prompt: ['a', 'b'] }), 'prompt', null, /several/],
  [TEXT, plain({ prompt: [[1], [2]] }), 'prompt', null, /several/],
  [TEXT, plain({ prompt: [1.5] }), 'prompt', null, /token numbers/],
  [TEXT, plain({ prompt: [-1] }), 'prompt', null, /token numbers/],
  [TEXT, plain({ messages: MESSAGES }), 'messages', 'unknown_parameter', /messages: is no parameter/],
  ...(
    [
      ['best_of', 2],
      ['echo', true],
      ['logprobs', 0],
      ['suffix', 'end'],
      ['n', 2],
    ] as const
  ).map(
    ([name, value]) =>
      [
        TEXT,
        plain({ [name]: value }),
        name,
        'unsupported_parameter',
        new RegExp(`^${name}: is not supported`),
      ] as const,
  ),
];

describe('bad input', () => {
  const titled = REFUSED.map((row) => [row[0], row[4], row] as const);
  it.each(titled)('%s: 400, %s', async (_path, _message, [path, request, param, code, message]) => {
    const begun = languages.requests.length;
    const answer = await ask(path, request);
    expect(answer.json()).toEqual({
      error: {
        message: expect.stringMatching(message) as string,
        type: 'invalid_request_error',
        param,
        code,
      },
    });
    expect(answer.status).toBe(400);
    expect(languages.requests).toHaveLength(begun);
  });

  it('any JSON in any place is answered or refused, never a fault of the server', async () => {
    const names = [
      ...Object.keys(chat()),
      'prompt',
      'stop',
      'n',
      'stream_options',
      'logit_bias',
      '__proto__',
    ];
    const members = fc.dictionary(fc.constantFrom(...names), fc.jsonValue(), { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(CHAT, TEXT), members, async (path, more) => {
        const answer = await ask(path, { ...(path === CHAT ? chat() : plain()), ...more });
        expect([200, 400, 404]).toContain(answer.status);
        if (answer.status === 200) return;
        expect(answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
      }),
      { numRuns: 100 },
    );
  });

  it('an unknown model is named with those there are', async () => {
    const error = {
      message: 'There is no language model "gpt-5" here; language models: parrot, second.',
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    };
    for (const answer of [
      await ask(CHAT, chat({ model: 'gpt-5' })),
      await ask(CHAT, chat({ model: 'gpt-5', stream: true })),
      await ask('/v1/models/gpt-5'),
    ]) {
      expect(answer.json()).toEqual({ error });
      expect(answer.status).toBe(404);
    }
  });

  it.each([
    ['no such route', '/v1/embeddings', {}, {}, 404, 'unknown_url', /POST \/v1\/embeddings is not here/],
    ['an oversized body', CHAT, 'a'.repeat(60_001), {}, 413, null, /too large/i],
    [
      'a web page',
      CHAT,
      chat(),
      { origin: 'http://example.org' },
      401,
      'invalid_api_key',
      /not for web pages/,
    ],
    ['a compressed body', CHAT, chat(), { 'content-encoding': 'gzip' }, 400, null, /without gzip/],
  ])('%s', async (_what, path, request, headers, status, code, message) => {
    const answer = await ask(path, request, headers);
    expect(answer.json()).toEqual({
      error: {
        message: expect.stringMatching(message) as string,
        type: 'invalid_request_error',
        param: null,
        code,
      },
    });
    expect(answer.status).toBe(status);
  });

  it.each([
    ['too long a prompt', contextFault(), 400, 'invalid_request_error', 'context_length_exceeded'],
    ['a model without a template', new SluiceError('unsupported', 'm'), 400, 'invalid_request_error', null],
    ['damaged weights', new SluiceError('runtime', 'm'), 500, 'server_error', 'runtime'],
    ['no memory', new SluiceError('budget-too-small', 'm'), 507, 'server_error', 'budget-too-small'],
  ])('%s has a status, streamed or not', async (_what, fault, status, type, code) => {
    languages.fault = fault;
    for (const isStreamed of [false, true]) {
      const answer = await ask(CHAT, chat({ stream: isStreamed }));
      expect(answer.json()).toEqual({ error: { message: fault.message, type, param: null, code } });
      expect(answer.status).toBe(status);
    }
  });

  it('what fails in mid-stream is its last event, and the stream has no end mark', async () => {
    Object.assign(languages, {
      fault: new SluiceError('runtime', 'The weights are damaged.'),
      faultAfter: 2,
    });
    const { documents, isDone } = eventsOf((await ask(TEXT, plain({ stream: true }))).text);
    expect(isDone).toBe(false);
    expect(documents).toHaveLength(3);
    expect(documents[2]).toEqual({
      error: { message: 'The weights are damaged.', type: 'server_error', param: null, code: 'runtime' },
    });
  });
});
