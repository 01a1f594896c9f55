import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../contract';
import { ask, CHAT, chat, eventsOf, plain, TEXT } from '../test-support/api-client';
import type { Answer } from '../test-support/api-client';
import { rawConnection } from '../test-support/raw-http';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';
import type { InferenceServerOptions } from './inference-server';

const TOKEN = 'a-token-of-twenty-characters';
const MANY = Array.from({ length: 50 }, (_, index) => `${index} `);

let server: TestServer;
/** Lets the model go on by a token. */
let step: () => void;
beforeEach(() => start());
afterEach(() => {
  server.languages.pace = () => Promise.resolve();
  step();
  return server.close();
});

async function start(options: Partial<InferenceServerOptions> = {}): Promise<void> {
  server = await startTestServer({ queueCapacity: 1, ...options });
  step = () => undefined;
}

/** From now on each token waits for a `step`. */
function hold(): void {
  server.languages.pace = () => new Promise((resolve) => (step = resolve));
}

/** Others may use the machine too. */
const eventually = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000 });

async function metric(line: RegExp): Promise<number> {
  const { text } = await ask(`${server.url}/metrics`);
  return Number(new RegExp(`^${line.source} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

const runs = async (model: string): Promise<void> => {
  await eventually(async () =>
    expect(await metric(new RegExp(`sluice_language_running\\{model="${model}",tier="edge"\\}`))).toBe(1),
  );
};
const waits = async (model: string): Promise<void> => {
  await eventually(async () =>
    expect(await metric(new RegExp(`sluice_language_queue_length\\{model="${model}",tier="edge"\\}`))).toBe(
      1,
    ),
  );
};

/** A streamed request whose client can go away. */
async function openStream(body: object): Promise<{ answer: IncomingMessage; leave: () => void }> {
  const request = httpRequest(`${server.url}${CHAT}`, { method: 'POST' });
  request.on('error', () => undefined);
  request.end(JSON.stringify({ ...body, stream: true }));
  await runs('parrot');
  step();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return { answer, leave: () => request.destroy() };
}

const askParrot = (more: object = {}): Promise<Answer> => ask(`${server.url}${CHAT}`, chat(more));

describe('a client that goes away', () => {
  it('ends its reply at the next token; the next request gets the whole of its own', async () => {
    server.languages.words = MANY;
    hold();
    const { answer, leave } = await openStream(chat());
    expect(String((await once(answer, 'data'))[0])).toContain('"role":"assistant"');
    expect(server.languages.given).toBe(1);
    const next = askParrot();
    await waits('parrot');
    leave();
    await eventually(async () => {
      step();
      expect(
        await metric(/sluice_language_requests_total\{model="parrot",outcome="cancelled",tier="edge"\}/),
      ).toBe(1);
    });
    const afterLeaving = server.languages.given;
    server.languages.pace = () => Promise.resolve();
    step();
    expect((await next).json()).toMatchObject({ choices: [{ message: { content: MANY.join('') } }] });
    expect(afterLeaving).toBeLessThan(MANY.length);
    expect(await metric(/sluice_language_generated_tokens_total\{model="parrot",tier="edge"\}/)).toBe(
      server.languages.given,
    );
  });

  it('while it waits takes its request along', async () => {
    hold();
    const first = askParrot();
    await runs('parrot');
    const body = JSON.stringify(chat());
    const { socket, reply } = rawConnection(server.port);
    socket.write(`POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await waits('parrot');
    socket.destroy();
    await reply;
    await eventually(async () =>
      expect(await metric(/sluice_language_queue_length\{model="parrot",tier="edge"\}/)).toBe(0),
    );
    server.languages.pace = () => Promise.resolve();
    step();
    expect((await first).status).toBe(200);
    expect(server.languages.requests).toHaveLength(1);
  });

  it('that takes nothing of its stream is cut off', async () => {
    await server.close();
    await start({ limits: { stallMs: 50 } });
    server.languages.words = Array.from({ length: 64 }, () => 'x'.repeat(2 ** 20));
    const { socket, reply } = rawConnection(server.port);
    socket.pause();
    const body = JSON.stringify(plain({ stream: true, max_tokens: 64 }));
    socket.write(`POST ${TEXT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await eventually(async () =>
      expect(
        await metric(/sluice_language_requests_total\{model="parrot",outcome="cancelled",tier="edge"\}/),
      ).toBe(1),
    );
    expect(server.languages.given).toBeLessThan(64);
    socket.destroy();
    await reply;
  });
});

describe('turns', () => {
  it('a full queue is refused by 503 with when to come back; the other model has its own', async () => {
    hold();
    const accepted = [askParrot()];
    await runs('parrot');
    accepted.push(askParrot({ stream: true }));
    await waits('parrot');
    for (const isStreamed of [false, true]) {
      const refused = await askParrot({ stream: isStreamed });
      expect(refused.json()).toEqual({
        error: {
          message: expect.stringMatching(/^The queue is full: 1 requests wait/) as string,
          type: 'server_error',
          param: null,
          code: 'overloaded',
        },
      });
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    const stepParrot = step;
    server.languages.pace = () => Promise.resolve();
    expect((await askParrot({ model: 'second' })).status).toBe(200);
    stepParrot();
    for (const { status } of await Promise.all(accepted)) expect(status).toBe(200);
  });

  it('with every queue full a request is refused before its body is there', async () => {
    hold();
    server.languages.models = server.languages.models.slice(0, 1);
    const accepted = [askParrot()];
    await runs('parrot');
    accepted.push(askParrot());
    await waits('parrot');
    const request = httpRequest(`${server.url}${CHAT}`, {
      method: 'POST',
      headers: { 'content-length': 10_000 },
    });
    request.on('error', () => undefined);
    request.write('{');
    const [{ statusCode }] = (await once(request, 'response')) as [IncomingMessage];
    expect(statusCode).toBe(503);
    request.destroy();
    server.languages.pace = () => Promise.resolve();
    step();
    for (const { status } of await Promise.all(accepted)) expect(status).toBe(200);
  });

  it('an inference does not wait for a reply', async () => {
    hold();
    const reply = askParrot();
    await runs('parrot');
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }];
    expect((await ask(`${server.url}/v2/models/echo-fp32/infer`, { inputs })).status).toBe(200);
    server.languages.pace = () => Promise.resolve();
    step();
    expect((await reply).status).toBe(200);
  });
});

describe('a server that ends', () => {
  it('lets the stream at work and the request that waits end, and takes no more', async () => {
    hold();
    const streaming = askParrot({ stream: true });
    await runs('parrot');
    const waiting = askParrot();
    await waits('parrot');
    const closed = server.close();
    const late = await askParrot();
    expect(late.json()).toMatchObject({ error: { type: 'server_error', code: 'unavailable' } });
    expect(late.status).toBe(503);
    expect((await ask(`${server.url}/v2/health/ready`)).status).toBe(503);
    server.languages.pace = () => Promise.resolve();
    step();
    const { documents, isDone } = eventsOf((await streaming).text);
    expect(isDone).toBe(true);
    expect(documents.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    expect((await waiting).json()).toMatchObject({ choices: [{ message: { content: 'Hello wörld' } }] });
    await closed;
  });

  it('tells a stream it can wait for no longer that the rest is missing', async () => {
    await server.close();
    await start({ drainMs: 1 });
    server.languages.words = MANY;
    hold();
    const { answer } = await openStream(chat());
    let text = '';
    answer.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    const closed = server.close();
    const ticking = setInterval(step, 1);
    await once(answer, 'end');
    clearInterval(ticking);
    await closed;
    const { documents, isDone } = eventsOf(text);
    expect(isDone).toBe(false);
    expect(documents.at(-1)).toMatchObject({
      error: { message: expect.stringMatching(/shut down/) as string, code: 'unavailable' },
    });
    expect(documents.length).toBeLessThan(MANY.length);
  });
});

describe('a token', () => {
  it('is wanted by every route', async () => {
    await server.close();
    await start({ token: TOKEN });
    const requests = [
      ['/v1/models', undefined],
      ['/v1/models/parrot', undefined],
      ['/v1/nothing', undefined],
      [CHAT, chat()],
      [TEXT, plain()],
    ] as const;
    for (const [path, body] of requests) {
      for (const headers of [undefined, { authorization: 'Bearer wrong-wrong-wrong-wrong' }]) {
        const refused = await ask(`${server.url}${path}`, body, headers);
        expect(refused.json()).toMatchObject({
          error: { type: 'invalid_request_error', code: 'invalid_api_key', param: null },
        });
        expect(refused.status).toBe(401);
      }
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await ask(`${server.url}${CHAT}`, chat(), headers)).status).toBe(200);
  });
});

it('figures tell requests, tokens and rates by model', async () => {
  await askParrot();
  await askParrot({ stream: true, max_tokens: 2 });
  server.languages.fault = new SluiceError('runtime', 'damaged');
  await askParrot();
  await askParrot({ model: 'nobody' });
  const of = (name: string, labels = ''): Promise<number> =>
    metric(new RegExp(`sluice_language_${name}\\{model="parrot",${labels}tier="edge"\\}`));
  expect(await of('requests_total', 'outcome="ok",')).toBe(2);
  expect(await of('requests_total', 'outcome="runtime",')).toBe(1);
  expect(await of('prompt_tokens_total')).toBe(10);
  expect(await of('generated_tokens_total')).toBe(5);
  expect(await metric(/sluice_language_first_token_seconds_count\{tier="edge",model="parrot"\}/)).toBe(2);
  expect(await metric(/sluice_language_queue_seconds_count\{tier="edge",model="parrot"\}/)).toBe(2);
  expect(await metric(/sluice_language_tokens_per_second_sum\{tier="edge",model="parrot"\}/)).toBe(200);
  expect((await ask(`${server.url}/metrics`)).text).not.toContain('nobody');
});
