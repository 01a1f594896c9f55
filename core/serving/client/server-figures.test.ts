import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import type { ErrorCode } from '../../contract';
import { ScriptedServer } from '../test-support/scripted-server';
import { startTestServer } from '../test-support/test-server';
import { OipClient } from './oip-client';
import type { CallOptions } from './endpoint';

const TEXT = 'sluice_serving_queue_length 3\nsluice_serving_queue_capacity 32\n';

/** [status, body, `undefined`: has no such page; figures; or error] */
const FIGURES: readonly (readonly [number, string, object | ErrorCode | undefined])[] = [
  [200, TEXT, { queueLength: 3, queueCapacity: 32 }],
  [200, 'nv_inference_pending_request_count{model="a"} 4\n', { queueLength: 4 }],
  [200, '', undefined],
  [200, '{"ready":true}', undefined],
  [200, '<html><body>Sign in</body></html>', undefined],
  [200, `${TEXT}sluice_host_memory_avail`, undefined],
  [204, '', undefined],
  [302, TEXT, undefined],
  [400, TEXT, undefined],
  [404, TEXT, undefined],
  [405, '', undefined],
  [401, '', 'unauthorized'],
  [403, '', 'unauthorized'],
  [500, TEXT, 'runtime'],
  [503, '', 'unavailable'],
  [200, `# ${'x'.repeat(5 * 2 ** 20)}\n${TEXT}`, 'unavailable'],
];

/** [status, ready or error] */
const READY: readonly (readonly [number, boolean | ErrorCode])[] = [
  [200, true],
  [204, true],
  [302, false],
  [400, false],
  [404, false],
  [503, false],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [500, 'runtime'],
  [502, 'unavailable'],
];

const LOOKS: readonly (readonly [string, (client: OipClient, call?: CallOptions) => Promise<unknown>])[] = [
  ['serverFigures', (client, call) => client.serverFigures(call)],
  ['modelReady', (client, call) => client.modelReady('m', call)],
];

let server: ScriptedServer;
let client: OipClient;
beforeEach(async () => {
  server = await ScriptedServer.start((response) => response.writeHead(500).end());
  client = new OipClient({ url: `${server.url}/base`, breaker: { failures: 2, openMs: 1e9 } });
});
afterEach(() => Promise.all([client.close(), server.close()]));

/** The value, or the code of the error. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((thrown: unknown) => SluiceError.from(thrown).code);
}

const answers = (status: number, body = ''): void => {
  server.answer = (response) => response.writeHead(status).end(body);
};

describe('asking a server beside inferences', () => {
  it.each(FIGURES)('figures: HTTP %i %.30j', async (status, body, outcome) => {
    answers(status, body);
    expect(await outcomeOf(client.serverFigures())).toEqual(outcome);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /base/metrics']);
  });

  it.each(READY)('ready: HTTP %i', async (status, outcome) => {
    answers(status);
    expect(await outcomeOf(client.modelReady('a/b'))).toBe(outcome);
    expect(server.requests.map(({ path }) => path)).toEqual(['/base/v2/models/a%2Fb/ready']);
  });

  it.each(LOOKS)('%s neither trips the breaker nor closes it', async (name, look) => {
    for (const status of [500, 500, 500, 503, 404]) {
      answers(status);
      await outcomeOf(look(client));
    }
    expect(client.breakerState).toBe('closed');
    const failing = async (): Promise<unknown> => {
      answers(500);
      return outcomeOf(client.serverMetadata());
    };
    await failing();
    answers(200, TEXT);
    await look(client);
    // A failure, a look that went well, another failure: still two in a row.
    await failing();
    expect(client.breakerState).toBe('open');
    answers(200, TEXT);
    expect(await outcomeOf(look(client))).toBeTypeOf(name === 'modelReady' ? 'boolean' : 'object');
    expect(client.breakerState).toBe('open');
  });

  it.each(LOOKS)('%s ends with its deadline, its caller, and a server that is gone', async (_name, look) => {
    server.answer = () => undefined;
    expect(await outcomeOf(look(client, { deadlineMs: 50 }))).toBe('timeout');
    expect(await outcomeOf(look(client, { signal: AbortSignal.abort() }))).toBe('cancelled');
    server.answer = (response) => response.destroy();
    expect(await outcomeOf(look(client))).toBe('unavailable');
    const gone = new OipClient({ url: 'http://127.0.0.1:1' });
    expect(await outcomeOf(look(gone))).toBe('unavailable');
    await gone.close();
  });
});

it('our server tells its queue and its machine', async () => {
  let cpu = { busyMs: 0, allMs: 0 };
  const hostReadings = { cpu: () => cpu, ownCpuMs: () => 0, processors: 1, availableBytes: () => 6e9 };
  const ours = await startTestServer({
    queueCapacity: 9,
    hostReadings,
    token: 'a-token-of-twenty-characters',
  });
  const known = new OipClient({ url: ours.url, token: 'a-token-of-twenty-characters' });
  const memory = { queueLength: 0, queueCapacity: 9, availableBytes: 6e9 };
  expect(await known.serverFigures()).toEqual(memory);
  cpu = { busyMs: 750, allMs: 1000 };
  expect(await known.serverFigures()).toEqual({ ...memory, busyPct: 75 });
  expect(await known.modelReady('pair')).toBe(true);
  await known.unload('pair');
  expect(await known.modelReady('pair')).toBe(false);
  expect(await known.modelReady('nobody')).toBe(false);
  const stranger = new OipClient({ url: ours.url });
  expect(await outcomeOf(stranger.serverFigures())).toBe('unauthorized');
  await Promise.all([known.close(), stranger.close(), ours.close()]);
});

it('this machine is told without injected readings', async () => {
  const ours = await startTestServer();
  const known = new OipClient({ url: ours.url });
  const figures = await known.serverFigures();
  expect(figures?.availableBytes).toBeGreaterThan(0);
  await Promise.all([known.close(), ours.close()]);
});
