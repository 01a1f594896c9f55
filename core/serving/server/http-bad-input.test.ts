import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { useInferServer, x } from '../test-support/infer-ground';

const ground = useInferServer();

/** [what, path, body, headers, status, message] */
const BAD: readonly (readonly [string, string, unknown, Record<string, string>, number, RegExp])[] = [
  ['no such operation', '/v2/nothing', {}, {}, 404, /POST \/v2\/nothing is not an operation/],
  ['an unknown model', '/v2/models/nobody/infer', x([1, 2]), {}, 404, /no model "nobody".*echo-fp32/],
  ['an unknown version', '/v2/models/pair/versions/9/infer', x([]), {}, 404, /no version "9"/],
  [
    'malformed JSON',
    '/v2/models/pair/infer',
    '{"inputs":',
    {},
    400,
    /expected 10 bytes of JSON, found .*JSON/,
  ],
  ['no body', '/v2/models/pair/infer', '', {}, 400, /expected 0 bytes of JSON/],
  ['JSON of something else', '/v2/models/pair/infer', '[1]', {}, 400, /body: .*expected object/],
  [
    'all faults of the form',
    '/v2/models/pair/infer',
    { inputs: [{ name: 1, shape: [-1] }] },
    {},
    400,
    /inputs\.0\.name: .*inputs\.0\.datatype: .*inputs\.0\.shape\.0: /,
  ],
  [
    'all faults of the tensors',
    '/v2/models/pair/infer',
    {
      inputs: [
        { name: 'a', datatype: 'FP64', shape: [4], data: [1, 2, 3] },
        { name: 'c', datatype: 'FP32', shape: [1], data: [1] },
      ],
      outputs: [{ name: 'z' }],
    },
    {},
    400,
    /unknown input "c".*"a": "data": shape \[4\] takes 4 elements, found 3; input "a": expected datatype FP32, found FP64; input "a": expected shape \[2, 2\], found \[4\]; input "b" is missing; expected INT64 \[\?\]; unknown output "z"/,
  ],
  [
    'an unknown datatype',
    '/v2/models/echo-fp32/infer',
    x([1, 2], { datatype: 'FP31' }),
    {},
    400,
    /unknown datatype "FP31"/,
  ],
  [
    'a tensor twice',
    '/v2/models/echo-fp32/infer',
    { inputs: [1, 2].map((v) => ({ name: 'x', datatype: 'FP32', shape: [1, 1], data: [v] })) },
    {},
    400,
    /"x" is given 2 times/,
  ],
  [
    'a header length past the body',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'inference-header-content-length': '999' },
    400,
    /expected the bytes of JSON, 0 to \d+ .*found "999"/,
  ],
  [
    'a header length that is no number',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'inference-header-content-length': '-1' },
    400,
    /found "-1"/,
  ],
  [
    'a header length within the JSON',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'inference-header-content-length': '5' },
    400,
    /expected 5 bytes of JSON/,
  ],
  [
    'too few bytes',
    '/v2/models/echo-fp32/infer',
    x(undefined, { parameters: { binary_data_size: 8 } }),
    {},
    400,
    /binary_data_size is 8, but only 0 bytes are left/,
  ],
  [
    'bytes that do not fit the shape',
    '/v2/models/echo-fp32/infer',
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":2}}]}ab',
    { 'inference-header-content-length': '93' },
    400,
    /FP32 \[1, 2\] takes 8 bytes, found 2/,
  ],
  [
    'bytes of nobody',
    '/v2/models/echo-fp32/infer',
    '{"inputs":[]}abc',
    { 'inference-header-content-length': '13' },
    400,
    /add up to 0 bytes, found 3 after the JSON/,
  ],
  [
    'a size that is none',
    '/v2/models/echo-fp32/infer',
    x(undefined, { parameters: { binary_data_size: 'all' } }),
    {},
    400,
    /binary_data_size: .*found "all"/,
  ],
  [
    'shared memory',
    '/v2/models/echo-fp32/infer',
    x(undefined, { parameters: { shared_memory_region: 'r' } }),
    {},
    400,
    /shared memory is not supported/,
  ],
  [
    'a sequence',
    '/v2/models/echo-fp32/infer',
    { ...x([1, 2]), parameters: { sequence_id: 3 } },
    {},
    501,
    /"sequence_id" \(stateful sequences\)/,
  ],
  [
    'the classification extension',
    '/v2/models/echo-fp32/infer',
    { ...x([1, 2]), outputs: [{ name: 'y', parameters: { classification: 2 } }] },
    {},
    501,
    /classification/,
  ],
  ['an oversized body', '/v2/models/echo-fp32/infer', 'a'.repeat(20_001), {}, 413, /body is too large/i],
  [
    'a web page',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { origin: 'http://example.org' },
    401,
    /not for web pages/,
  ],
  [
    'a compressed body',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'content-encoding': 'gzip' },
    501,
    /without gzip/,
  ],
  ['an unknown model to load', '/v2/repository/models/nobody/load', {}, {}, 404, /nobody/],
  [
    'a model file to load',
    '/v2/repository/models/pair/load',
    { parameters: { 'file:1/model.onnx': 'AA==' } },
    {},
    501,
    /model files/,
  ],
  ['an index of something else', '/v2/repository/index', { ready: 'yes' }, {}, 400, /ready: /],
];

describe('bad input', () => {
  it.each(BAD)('%s', async (_what, path, body, headers, status, message) => {
    const answer = await ground.ask(path, body, headers);
    expect(answer.json['error']).toMatch(message);
    expect(answer.status).toBe(status);
    await ground.servesOn();
  });

  it.each([
    ['io', 500],
    ['budget-too-small', 507],
    ['engine-down', 503],
  ] as const)('an engine that fails with %s is HTTP %i', async (code, status) => {
    ground.server.models.fault = new SluiceError(code, 'what happened');
    const answer = await ground.ask('/v2/models/echo-fp32/infer', x([1, 2]));
    expect(answer).toMatchObject({ status, json: { error: 'what happened', code } });
  });

  it('BYTES that JSON cannot carry can be had as bytes', async () => {
    const head = JSON.stringify({
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 1], parameters: { binary_data_size: 5 } }],
    });
    const body = Buffer.concat([Buffer.from(head), Buffer.from([1, 0, 0, 0, 0xff])]);
    const headers = { 'inference-header-content-length': String(head.length) };
    expect(await ground.ask('/v2/models/echo-bytes/infer', body, headers)).toMatchObject({
      status: 501,
      json: { error: expect.stringContaining('not UTF-8') as string },
    });
  });
});
