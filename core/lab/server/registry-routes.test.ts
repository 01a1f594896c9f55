import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../base';
import { SluiceError } from '../../contract';
import { DEFAULT_LIMITS, type Listener } from '../../serving';
import { ModelRegistry } from '../registry/model-registry';
import { REGISTRY_SCHEMA } from '../registry/registry-schema';
import { LabDatabase } from '../store/lab-database';
import { startLabServer } from './lab-server';
import { registryRoutes } from './registry-routes';

const API = '/api/2.0/mlflow';
const SOURCE = 'mlflow-artifacts:/0/run/artifacts/model';

let database: LabDatabase;
let listener: Listener;
beforeEach(async () => {
  database = LabDatabase.open(':memory:', [REGISTRY_SCHEMA]);
  const registry = new ModelRegistry({
    database,
    clock: systemClock,
    lookup: {
      artifactUriOf: (runId) => {
        throw new SluiceError('not-found', `Run "${runId}" not found.`);
      },
      loggedModelUri: () => undefined,
    },
    onListenerFault: (cause) => {
      throw cause;
    },
  });
  const routes = [registryRoutes(registry)];
  listener = await startLabServer({
    routes,
    token: undefined,
    host: '127.0.0.1',
    port: 0,
    limits: DEFAULT_LIMITS,
  });
});
afterEach(async () => {
  await listener.close();
  database.close();
});

type Message = Readonly<Record<string, unknown>>;

/** As MLflow's client asks: a GET's message is its query, any other's its body. */
async function ask(method: string, path: string, message: Message = {}): Promise<[number, unknown]> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(message)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(key, String(one));
  }
  const url = `http://127.0.0.1:${listener.port}${API}/${path}`;
  const answer =
    method === 'GET'
      ? await fetch(`${url}?${query.toString()}`)
      : await fetch(url, { method, body: JSON.stringify(message) });
  return [answer.status, await answer.json()];
}

async function made(): Promise<void> {
  await ask('POST', 'registered-models/create', { name: 'net', tags: [{ key: 'task', value: 'vision' }] });
  for (const run_id of ['run-1', 'run-2']) {
    await ask('POST', 'model-versions/create', { name: 'net', source: SOURCE, run_id });
  }
  await ask('POST', 'registered-models/alias', { name: 'net', alias: 'champion', version: '1' });
}

const aNumber = expect.any(Number) as number;
const version = (number: string, others: Message = {}): Message => ({
  name: 'net',
  version: number,
  creation_timestamp: aNumber,
  last_updated_timestamp: aNumber,
  current_stage: 'None',
  description: '',
  source: SOURCE,
  run_id: `run-${number}`,
  run_link: '',
  model_id: '',
  status: 'READY',
  tags: [],
  aliases: number === '1' ? ['champion'] : [],
  ...others,
});
const model = (others: Message = {}): Message => ({
  name: 'net',
  creation_timestamp: aNumber,
  last_updated_timestamp: aNumber,
  description: '',
  tags: [{ key: 'task', value: 'vision' }],
  aliases: [{ alias: 'champion', version: '1' }],
  latest_versions: [version('2')],
  ...others,
});
const net = { name: 'net' };
const one = { name: 'net', version: '1' };

describe('the model registry over HTTP', () => {
  it.each<[string, string, Message, Message]>([
    [
      'POST',
      'registered-models/create',
      { name: 'new', description: 'text', tags: [{ key: 'a', value: 'b' }] },
      {
        registered_model: model({
          name: 'new',
          description: 'text',
          tags: [{ key: 'a', value: 'b' }],
          aliases: [],
          latest_versions: [],
        }),
      },
    ],
    ['GET', 'registered-models/get', net, { registered_model: model() }],
    [
      'PATCH',
      'registered-models/update',
      { ...net, description: 'x' },
      { registered_model: model({ description: 'x' }) },
    ],
    [
      'POST',
      'registered-models/rename',
      { ...net, new_name: 'network' },
      { registered_model: model({ name: 'network', latest_versions: [version('2', { name: 'network' })] }) },
    ],
    ['DELETE', 'registered-models/delete', net, {}],
    ['GET', 'registered-models/search', {}, { registered_models: [model()] }],
    ['GET', 'registered-models/search', { filter: "name LIKE 'x%'" }, { registered_models: [] }],
    [
      'GET',
      'registered-models/search',
      { order_by: ['name DESC'], max_results: 1 },
      { registered_models: [model()] },
    ],
    ['POST', 'registered-models/set-tag', { ...net, key: 'a' }, {}],
    ['DELETE', 'registered-models/delete-tag', { ...net, key: 'task' }, {}],
    ['DELETE', 'registered-models/delete-tag', { ...net, key: 'nothing' }, {}],
    ['POST', 'registered-models/alias', { ...net, alias: 'x', version: 2 }, {}],
    ['DELETE', 'registered-models/alias', { ...net, alias: 'champion' }, {}],
    ['GET', 'registered-models/alias', { ...net, alias: 'champion' }, { model_version: version('1') }],
    ['GET', 'registered-models/alias', { ...net, alias: 'latest' }, { model_version: version('2') }],
    ['POST', 'registered-models/get-latest-versions', net, { model_versions: [version('2')] }],
    [
      'GET',
      'registered-models/get-latest-versions',
      { ...net, stages: ['None', 'Staging'] },
      { model_versions: [version('2')] },
    ],
    [
      'POST',
      'registered-models/get-latest-versions',
      { ...net, stages: ['Staging'] },
      { model_versions: [] },
    ],
    [
      'POST',
      'model-versions/create',
      {
        ...net,
        source: SOURCE,
        run_id: null,
        tags: [{ key: 'a' }],
        description: 'text',
        run_link: 'http://x',
        model_id: 'm-1',
      },
      {
        model_version: version('3', {
          run_id: '',
          tags: [{ key: 'a', value: '' }],
          description: 'text',
          run_link: 'http://x',
          model_id: 'm-1',
        }),
      },
    ],
    ['GET', 'model-versions/get', one, { model_version: version('1') }],
    [
      'PATCH',
      'model-versions/update',
      { ...one, description: 'x' },
      { model_version: version('1', { description: 'x' }) },
    ],
    ['DELETE', 'model-versions/delete', one, {}],
    [
      'GET',
      'model-versions/search',
      { order_by: 'version_number' },
      { model_versions: [version('1'), version('2')] },
    ],
    [
      'GET',
      'model-versions/search',
      { filter: "name='net'", max_results: 1 },
      { model_versions: [version('2')], next_page_token: Buffer.from('{"offset":1}').toString('base64') },
    ],
    ['GET', 'model-versions/get-download-uri', one, { artifact_uri: SOURCE }],
    [
      'POST',
      'model-versions/transition-stage',
      { ...one, stage: 'staging' },
      { model_version: version('1', { current_stage: 'Staging' }) },
    ],
    [
      'POST',
      'model-versions/transition-stage',
      { ...one, stage: 'Production', archive_existing_versions: true },
      { model_version: version('1', { current_stage: 'Production' }) },
    ],
    ['POST', 'model-versions/set-tag', { ...one, key: 'a', value: 'b' }, {}],
    ['DELETE', 'model-versions/delete-tag', { ...one, key: 'a' }, {}],
  ])('answers %s %s %j', async (method, path, message, answer) => {
    await made();
    expect(await ask(method, path, message)).toEqual([200, answer]);
  });

  it('shows what was set', async () => {
    await made();
    await ask('POST', 'registered-models/set-tag', { ...net, key: 'task', value: 'speech' });
    await ask('POST', 'model-versions/set-tag', { ...one, key: 'a', value: 'b' });
    await ask('POST', 'registered-models/alias', { ...net, alias: 'champion', version: '2' });
    expect(await ask('GET', 'registered-models/get', net)).toMatchObject([
      200,
      {
        registered_model: {
          tags: [{ key: 'task', value: 'speech' }],
          aliases: [{ alias: 'champion', version: '2' }],
        },
      },
    ]);
    expect(await ask('GET', 'model-versions/get', one)).toMatchObject([
      200,
      { model_version: { tags: [{ key: 'a', value: 'b' }], aliases: [] } },
    ]);
  });

  const bad = 'INVALID_PARAMETER_VALUE';
  const none = 'RESOURCE_DOES_NOT_EXIST';
  it.each<[string, string, Message, number, string, RegExp]>([
    ['POST', 'registered-models/create', {}, 400, bad, /name: expected a text/],
    ['POST', 'registered-models/create', { name: '' }, 400, bad, /name: expected a text, found an empty one/],
    ['POST', 'registered-models/create', { name: ' ' }, 400, bad, /Model name: expected a name/],
    ['POST', 'registered-models/create', { name: 7 }, 400, bad, /name: expected a text/],
    ['POST', 'registered-models/create', { name: 'a/b' }, 400, bad, /without "\/"/],
    ['POST', 'registered-models/create', { name: 'a:b' }, 400, bad, /without "\/", ":"/],
    ['POST', 'registered-models/create', { name: '..' }, 400, bad, /found "\.\."/],
    ['POST', 'registered-models/create', { name: 'a\nb' }, 400, bad, /control characters/],
    ['POST', 'registered-models/create', { name: 'x'.repeat(257) }, 400, bad, /at most 256 characters/],
    ['POST', 'registered-models/create', net, 400, 'RESOURCE_ALREADY_EXISTS', /"net" already exists/],
    ['POST', 'registered-models/create', { name: 'x', tags: 'a' }, 400, bad, /tags: /],
    ['POST', 'registered-models/create', { name: 'x', tags: [{ key: 'a$' }] }, 400, bad, /Tag key/],
    [
      'POST',
      'registered-models/create',
      { name: 'x', tags: [{ key: 'a', value: 'x'.repeat(100_001) }] },
      400,
      bad,
      /at most 100000/,
    ],
    [
      'POST',
      'registered-models/create',
      { name: 'x', description: 'x'.repeat(100_001) },
      400,
      bad,
      /Description/,
    ],
    ['GET', 'registered-models/get', { name: 'no' }, 404, none, /"no": there is none/],
    ['GET', 'registered-models/get', {}, 400, bad, /name: /],
    ['PATCH', 'registered-models/update', { name: 'no' }, 404, none, /none of that name/],
    ['POST', 'registered-models/rename', { name: 'no', new_name: 'x' }, 404, none, /none of that name/],
    ['POST', 'registered-models/rename', net, 400, bad, /new_name: expected/],
    [
      'POST',
      'registered-models/rename',
      { ...net, new_name: 'other' },
      400,
      'RESOURCE_ALREADY_EXISTS',
      /"other" already/,
    ],
    ['DELETE', 'registered-models/delete', { name: 'no' }, 404, none, /none of that name/],
    ['GET', 'registered-models/search', { filter: 'nonsense' }, 400, bad, /^Filter, at character 8/],
    [
      'GET',
      'registered-models/search',
      { max_results: 1001 },
      400,
      bad,
      /max_results: expected at most 1000/,
    ],
    ['GET', 'registered-models/search', { max_results: 0 }, 400, bad, /max_results: expected at least 1/],
    ['GET', 'registered-models/search', { max_results: 'x' }, 400, bad, /max_results: expected a number/],
    ['GET', 'registered-models/search', { page_token: '!' }, 400, bad, /page_token/],
    ['GET', 'registered-models/search', { order_by: 'x' }, 400, bad, /order_by/],
    ['POST', 'registered-models/set-tag', { name: 'no', key: 'a' }, 404, none, /none of that name/],
    ['POST', 'registered-models/set-tag', net, 400, bad, /key: /],
    ['DELETE', 'registered-models/delete-tag', { ...net, key: '\0' }, 400, bad, /Tag key/],
    [
      'POST',
      'registered-models/alias',
      { ...net, alias: 'x', version: '9' },
      404,
      none,
      /Model version 9 of "net"/,
    ],
    [
      'POST',
      'registered-models/alias',
      { ...net, alias: 'latest', version: '1' },
      400,
      bad,
      /other than "latest"/,
    ],
    [
      'POST',
      'registered-models/alias',
      { ...net, alias: 'V12', version: '1' },
      400,
      bad,
      /name versions already/,
    ],
    ['POST', 'registered-models/alias', { ...net, alias: 'a b', version: '1' }, 400, bad, /letters, digits/],
    [
      'POST',
      'registered-models/alias',
      { ...net, alias: 'a', version: 'one' },
      400,
      bad,
      /version: expected the number/,
    ],
    ['GET', 'registered-models/alias', { ...net, alias: 'nobody' }, 400, bad, /alias "nobody"/],
    ['GET', 'registered-models/alias', { name: 'other', alias: 'latest' }, 404, none, /it has no version/],
    ['GET', 'registered-models/alias', { name: 'no', alias: 'x' }, 404, none, /none of that name/],
    ['DELETE', 'registered-models/alias', { name: 'no', alias: 'x' }, 404, none, /none of that name/],
    [
      'POST',
      'registered-models/get-latest-versions',
      { ...net, stages: ['x'] },
      400,
      bad,
      /one of None, Staging/,
    ],
    ['POST', 'model-versions/create', net, 400, bad, /source: /],
    ['POST', 'model-versions/create', { name: 'no', source: SOURCE }, 404, none, /none of that name/],
    ['POST', 'model-versions/create', { ...net, source: '/etc' }, 400, bad, /not a path of some machine/],
    ['GET', 'model-versions/get', { ...net, version: '9' }, 404, none, /Model version 9/],
    ['GET', 'model-versions/get', { ...net, version: '-1' }, 400, bad, /version: expected the number/],
    [
      'GET',
      'model-versions/get',
      { ...net, version: '9'.repeat(16) },
      400,
      bad,
      /version: expected the number/,
    ],
    ['PATCH', 'model-versions/update', { ...net, version: '9' }, 404, none, /Model version 9/],
    ['DELETE', 'model-versions/delete', { ...net, version: '9' }, 404, none, /Model version 9/],
    ['GET', 'model-versions/search', { filter: "x = '1'" }, 400, bad, /expected an attribute/],
    ['GET', 'model-versions/search', { max_results: 200_001 }, 400, bad, /expected at most 200000/],
    ['GET', 'model-versions/get-download-uri', { ...net, version: '9' }, 404, none, /Model version 9/],
    ['POST', 'model-versions/transition-stage', { ...one, stage: 'x' }, 400, bad, /one of None, Staging/],
    [
      'POST',
      'model-versions/transition-stage',
      { ...one, stage: 'None', archive_existing_versions: true },
      400,
      bad,
      /archive_existing/,
    ],
    [
      'POST',
      'model-versions/transition-stage',
      { ...one, stage: 'None', archive_existing_versions: 'x' },
      400,
      bad,
      /archive_existing/,
    ],
    ['POST', 'model-versions/set-tag', { ...net, version: '9', key: 'a' }, 404, none, /Model version 9/],
    ['DELETE', 'model-versions/delete-tag', { ...net, version: '9', key: 'a' }, 404, none, /Model version 9/],
    ['GET', 'model-versions/delete', one, 404, 'ENDPOINT_NOT_FOUND', /not an operation/],
  ])('answers %s %s %j with %i %s', async (method, path, message, status, code, text) => {
    await made();
    await ask('POST', 'registered-models/create', { name: 'other' });
    expect(await ask(method, path, message)).toEqual([
      status,
      { error_code: code, message: expect.stringMatching(text) as string },
    ]);
  });

  it.each([
    ['{', /expected 1 bytes of JSON/],
    [Buffer.from([0xff, 0xfe]), /not UTF-8/],
    ['[]', /expected object/],
    ['null', /expected object/],
    ['', /name: expected a text/],
  ])('refuses the body %j', async (body, message) => {
    const url = `http://127.0.0.1:${listener.port}${API}/registered-models/create`;
    const answer = await fetch(url, { method: 'POST', body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error_code: bad, message: expect.stringMatching(message) as string },
    ]);
  });
});
