import { describe, expect, it } from 'vitest';

import { SOURCE, useRegistryServer, type Message } from './test-support/registry-server';

const { ask, registerNet } = useRegistryServer();

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
    await registerNet();
    expect(await ask(method, path, message)).toEqual([200, answer]);
  });

  it('shows what was set', async () => {
    await registerNet();
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
});
