import { request as httpRequest } from 'node:http';

import { describe, expect, it, vi } from 'vitest';

import { useInferServer, x } from '../test-support/infer-ground';

const ground = useInferServer();

describe('what the server tells', () => {
  it('health, metadata, readiness', async () => {
    expect(await ground.ask('/v2/health/live')).toMatchObject({ status: 200, json: { live: true } });
    expect(await ground.ask('/v2/health/ready')).toMatchObject({ status: 200, json: { ready: true } });
    const { json } = await ground.ask('/v2');
    expect(json).toMatchObject({ name: 'sluice', version: '0.0.0', tier: 'edge' });
    expect(json['extensions']).toEqual(expect.arrayContaining(['binary_tensor_data', 'sluice_tier_edge']));
    const metadata = {
      name: 'pair',
      versions: ['1'],
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [2, 2] },
        { name: 'b', datatype: 'INT64', shape: [-1] },
      ],
    };
    expect((await ground.ask('/v2/models/pair')).json).toMatchObject(metadata);
    expect((await ground.ask('/v2/models/pair/versions/1')).json).toMatchObject(metadata);
    expect(await ground.ask('/v2/models/pair/versions/1/ready')).toMatchObject({ status: 200 });
  });

  it('answers an inference with the names asked for, its id, and where the time went', async () => {
    const inputs = [
      { name: 'b', datatype: 'INT64', shape: [1], data: [3] },
      {
        name: 'a',
        datatype: 'FP32',
        shape: [2, 2],
        data: [
          [1, 2],
          [3, 4.5],
        ],
      },
    ];
    const both = await ground.ask('/v2/models/pair/versions/1/infer', { id: 'q7', inputs });
    expect(both.json).toEqual({
      model_name: 'pair',
      model_version: '1',
      id: 'q7',
      outputs: [
        { name: 'a2', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4.5] },
        { name: 'b2', datatype: 'INT64', shape: [1], data: [3] },
      ],
    });
    expect(both.headers.get('server-timing')).toMatch(/^queue;dur=[\d.]+, compute;dur=[\d.]+$/);
    const one = await ground.ask('/v2/models/pair/infer', { inputs, outputs: [{ name: 'b2' }] });
    expect(one.json['outputs']).toMatchObject([{ name: 'b2' }]);
  });

  it('models leave and enter service', async () => {
    const index = async (ready: boolean): Promise<unknown> =>
      (await ground.ask('/v2/repository/index', { ready })).json;
    expect(await ground.ask('/v2/repository/models/pair/unload', {})).toMatchObject({ status: 200 });
    expect(await ground.ask('/v2/models/pair/ready')).toMatchObject({ status: 503 });
    expect(await index(false)).toContainEqual({
      name: 'pair',
      version: '1',
      state: 'UNAVAILABLE',
      reason: 'unloaded',
    });
    expect(await index(true)).not.toContainEqual(expect.objectContaining({ name: 'pair' }));
    const refused = await ground.ask('/v2/models/pair/infer', { inputs: [] });
    expect(refused).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(await ground.ask('/v2/repository/models/pair/load', '')).toMatchObject({ status: 200 });
    expect(await index(true)).toContainEqual({ name: 'pair', version: '1', state: 'READY', reason: '' });
  });

  it('counts what it did', async () => {
    const before = await ground.ask('/v2/models/echo-bool/stats');
    expect(before.json).toMatchObject({
      tier: 'edge',
      queue: { waiting: 0, running: 0, capacity: 2 },
      model_stats: [{ name: 'echo-bool', inference_count: 0, last_inference: 0 }],
    });
    ground.server.models.computeMs = 2;
    const inputs = [{ name: 'x', datatype: 'BOOL', shape: [1, 1], data: [true] }];
    await ground.ask('/v2/models/echo-bool/infer', { inputs });
    await ground.ask('/v2/models/echo-bool/infer', { inputs: [] });
    const { json } = await ground.ask('/v2/models/echo-bool/versions/1/stats');
    expect(json['model_stats']).toMatchObject([
      {
        inference_count: 1,
        inference_stats: {
          success: { count: 1 },
          fail: { count: 1 },
          queue: { count: 1 },
          compute_infer: { count: 1, ns: 2_000_000 },
        },
      },
    ]);
    expect((await ground.ask('/v2/models/stats')).json['model_stats']).toHaveLength(
      ground.server.models.list().length,
    );
    const metrics = (await ground.ask('/metrics')).json['text'];
    expect(metrics).toContain(
      'sluice_serving_requests_total{model="echo-bool",version="1",outcome="ok",tier="edge"} 1',
    );
    expect(metrics).toContain(
      'sluice_serving_requests_total{model="echo-bool",version="1",outcome="bad-input",tier="edge"} 1',
    );
    expect(metrics).toContain('sluice_serving_queue_capacity{tier="edge"} 2');
  });
});

it('a full queue refuses before the body is read, and says when to come back', async () => {
  ground.server.models.computeMs = 300;
  const accepted = [1, 2, 3].map(() => ground.ask('/v2/models/echo-fp32/infer', x([1, 2])));
  await vi.waitFor(async () =>
    expect((await ground.ask('/v2/models/stats')).json['queue']).toMatchObject({ running: 1, waiting: 2 }),
  );
  const refused = await new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
    const request = httpRequest(`${ground.server.url}/v2/models/echo-fp32/infer`, {
      method: 'POST',
      headers: { 'content-length': 10_000 },
    });
    request.once('response', ({ statusCode = 0, headers }) => {
      resolve({ status: statusCode, retryAfter: headers['retry-after'] });
      request.destroy();
    });
    request.once('error', reject);
    request.write('{');
  });
  expect(refused).toEqual({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/) as string });
  expect((await Promise.all(accepted)).map(({ status }) => status)).toEqual([200, 200, 200]);
});
