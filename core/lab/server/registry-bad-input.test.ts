import { describe, expect, it } from 'vitest';

import { SOURCE, useRegistryServer, type Message } from './test-support/registry-server';

const { ask, post, registerNet } = useRegistryServer();

const net = { name: 'net' };
const one = { name: 'net', version: '1' };

describe('the model registry refuses', () => {
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
    await registerNet();
    await ask('POST', 'registered-models/create', { name: 'other' });
    expect(await ask(method, path, message)).toEqual([
      status,
      { error_code: code, message: expect.stringMatching(text) as string },
    ]);
  });

  it.each<[string | Uint8Array<ArrayBuffer>, RegExp]>([
    ['{', /expected 1 bytes of JSON/],
    [Buffer.from([0xff, 0xfe]), /not UTF-8/],
    ['[]', /expected object/],
    ['null', /expected object/],
    ['', /name: expected a text/],
  ])('refuses the body %j', async (body, message) => {
    expect(await post('registered-models/create', body)).toEqual([
      400,
      { error_code: bad, message: expect.stringMatching(message) as string },
    ]);
  });
});
