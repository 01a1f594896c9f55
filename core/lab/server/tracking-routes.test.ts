import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startTrackingServer, type TrackingServer } from './test-support/tracking-server';

let lab: TrackingServer;
let runId: string;
beforeEach(async () => {
  lab = await startTrackingServer();
  runId = lab.store.runs.create({ experimentId: '0', name: 'one', startMs: 5 }).info.runId;
});
afterEach(() => lab.close());

describe('the tracking operations', () => {
  it('gives runs as MLflow has them', async () => {
    const { body } = await lab.send('POST', 'runs/create', {
      experiment_id: '0',
      start_time: '12',
      run_name: 'two',
      tags: [{ key: 't', value: 'x' }],
      newer: { field: 1 },
    });
    const { run } = body as { run: { info: { run_id: string } } };
    const id = run.info.run_id;
    expect(run).toEqual({
      info: {
        run_id: id,
        run_uuid: id,
        run_name: 'two',
        experiment_id: '0',
        user_id: '',
        status: 'RUNNING',
        start_time: 12,
        artifact_uri: `mlflow-artifacts:/0/${id}/artifacts`,
        lifecycle_stage: 'active',
      },
      data: {
        metrics: [],
        params: [],
        tags: [
          { key: 'mlflow.runName', value: 'two' },
          { key: 't', value: 'x' },
        ],
      },
      inputs: { dataset_inputs: [], model_inputs: [] },
      outputs: { model_outputs: [] },
    });
    expect((await lab.get(`runs/get?run_uuid=${id}`)).body).toEqual(body);
    const changed = await lab.send('POST', 'runs/update', { run_uuid: id, status: 3, end_time: 20 });
    expect(changed.body).toMatchObject({ run_info: { status: 'FINISHED', end_time: 20 } });
  });

  it('searches experiments by GET and POST', async () => {
    await lab.send('POST', 'experiments/create', { name: 'a', tags: [{ key: 't' }] });
    const query = 'experiments/search?order_by=name%20ASC&max_results=1&view_type=ALL';
    const { body } = await lab.get(query);
    expect(body).toMatchObject({
      experiments: [{ name: 'Default' }],
      next_page_token: expect.any(String) as string,
    });
    const rest = {
      order_by: ['name ASC'],
      max_results: 1,
      view_type: 3,
      page_token: body['next_page_token'],
    };
    expect((await lab.send('POST', 'experiments/search', rest)).body).toEqual({
      experiments: [expect.objectContaining({ name: 'a', tags: [{ key: 't', value: '' }] })],
    });
  });

  it('keeps 64-bit integers, NaN and the infinities', async () => {
    const point = (value: string, step: string) =>
      `{"key":"m","value":${value},"timestamp":9007199254740993,"step":${step}}`;
    const points = [point('"NaN"', '0'), point('"-Infinity"', '"1"'), point('1e3', '-9223372036854775808')];
    const text = `{"run_id":"${runId}","metrics":[${points.join(',')}],"tags":[{"key":"t","value":"[12345678901234567]"}]}`;
    expect(await lab.send('POST', 'runs/log-batch', text)).toEqual({ status: 200, body: {} });
    expect(lab.store.runs.get(runId).tags).toContainEqual({ key: 't', value: '[12345678901234567]' });
    expect([...lab.store.history(runId, 'm')]).toEqual([
      { value: 1000, step: -(2n ** 63n), timestampMs: 9007199254740993n },
      { value: NaN, step: 0, timestampMs: 9007199254740993n },
      { value: -Infinity, step: 1, timestampMs: 9007199254740993n },
    ]);
    expect((await lab.get(`runs/get?run_id=${runId}`)).body).toMatchObject({
      run: { data: { metrics: [{ key: 'm', value: '-Infinity', timestamp: '9007199254740993', step: 1 }] } },
    });
  });

  it('gives histories in pages and sampled', async () => {
    const metrics = Array.from({ length: 1000 }, (_, step) => ({
      key: 'm',
      value: step % 50,
      timestamp: step,
      step,
    }));
    await lab.send('POST', 'runs/log-batch', { run_id: runId, metrics });
    const first = await lab.get(`metrics/get-history?run_id=${runId}&metric_key=m&max_results=600`);
    const token = first.body['next_page_token'] as string;
    const second = await lab.get(`metrics/get-history?run_id=${runId}&metric_key=m&page_token=${token}`);
    expect([first, second].map(({ body }) => (body['metrics'] as unknown[]).length)).toEqual([600, 400]);
    expect(second.body).toEqual({ metrics: metrics.slice(600) });
    const sampled = await lab.get(
      `metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=m&max_results=10&start_step=100&end_step=199`,
    );
    const points = sampled.body['metrics'] as { step: number; value: number; run_id: string }[];
    expect(points.map(({ step }) => step)).toEqual([100, 101, 124, 125, 149, 150, 173, 174, 198, 199]);
    expect(new Set(points.map(({ run_id }) => run_id))).toEqual(new Set([runId]));
  });

  it('answers each of many at once for itself', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        lab.send('POST', 'runs/log-parameter', {
          run_id: index % 4 === 3 ? 'nobody' : runId,
          key: `p${index % 8}`,
          value: String(index < 8),
        }),
      ),
    );
    const statuses = answers.map(({ status }, index) => [
      index % 4 === 3 ? 'unknown' : index < 8 ? 'new' : 'changed',
      status,
    ]);
    expect(new Set(statuses.map(String))).toEqual(new Set(['unknown,404', 'new,200', 'changed,400']));
    expect(lab.store.runs.get(runId).params.map(({ key, value }) => `${key} ${value}`)).toEqual(
      [0, 1, 2, 4, 5, 6].map((index) => `p${index} true`),
    );
  });

  it('keeps the list of models that MLflow 2 clients log', async () => {
    for (const name of ['a', 'b']) {
      await lab.send('POST', 'runs/log-model', {
        run_id: runId,
        model_json: JSON.stringify({ artifact_path: name }),
      });
    }
    const tag = lab.store.runs.get(runId).tags.find(({ key }) => key === 'mlflow.log-model.history');
    expect(JSON.parse(tag!.value)).toEqual([{ artifact_path: 'a' }, { artifact_path: 'b' }]);
  });

  it('keeps logged models, their metrics and what runs made of them', async () => {
    const creation = {
      experiment_id: '0',
      name: 'net',
      source_run_id: runId,
      params: [{ key: 'd', value: '3' }],
    };
    const { body } = await lab.send('POST', 'logged-models', creation);
    const { model } = body as { model: { info: { model_id: string } } };
    const id = model.info.model_id;
    expect(id).toMatch(/^m-[0-9a-f]{32}$/);
    const point = {
      run_id: runId,
      model_id: id,
      key: 'acc',
      timestamp: 1,
      dataset_name: 'cifar',
      dataset_digest: 'd1',
    };
    await lab.send('POST', 'runs/log-metric', { ...point, value: 0.9, step: 2 });
    await lab.send('POST', 'runs/log-metric', { ...point, value: 0.1, step: 1 });
    await lab.send('POST', 'runs/outputs', { run_id: runId, models: [{ model_id: id, step: '7' }] });
    await lab.send('PATCH', `logged-models/${id}`, { status: 'LOGGED_MODEL_READY' });
    await lab.send('PATCH', `logged-models/${id}/tags`, {
      tags: [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ],
    });
    await lab.send('DELETE', `logged-models/${id}/tags/b`);
    await lab.send('POST', `logged-models/${id}/params`, { params: [{ key: 'w', value: '8' }] });
    const search = {
      experiment_ids: ['0'],
      filter: "metrics.acc > 0.5 AND status = 'READY'",
      order_by: [{ field_name: 'metrics.acc', ascending: false }],
    };
    expect((await lab.send('POST', 'logged-models/search', search)).body).toEqual({
      models: [
        {
          info: expect.objectContaining({
            model_id: id,
            name: 'net',
            status: 'LOGGED_MODEL_READY',
            artifact_uri: `mlflow-artifacts:/0/models/${id}/artifacts`,
            source_run_id: runId,
            tags: [{ key: 'a', value: '1' }],
          }) as object,
          data: {
            params: [
              { key: 'd', value: '3' },
              { key: 'w', value: '8' },
            ],
            metrics: [
              {
                key: 'acc',
                value: 0.9,
                timestamp: 1,
                step: 2,
                model_id: id,
                run_id: runId,
                dataset_name: 'cifar',
                dataset_digest: 'd1',
              },
            ],
          },
        },
      ],
    });
    expect(lab.store.runs.get(runId).modelOutputs).toEqual([{ modelId: id, step: 7 }]);
    await lab.send('DELETE', `logged-models/${id}`, { model_id: id });
    expect((await lab.get(`logged-models/${id}`)).status).toBe(404);
    expect((await lab.get(`logged-models/${id}?allow_deleted=true`)).status).toBe(200);
  });

  it('tells clients what it is', async () => {
    const base = (await lab.get('../../3.0/mlflow/server-info')).body;
    expect(base).toMatchObject({ store_type: 'SqlStore', workspaces_enabled: false });
  });
});

describe('a bad request', () => {
  const RUN = '{"run_id":"RUN"';
  it.each([
    ['runs/log-batch', '{"run_id":', 'body: expected JSON, found something else'],
    ['runs/log-batch', '[1]', 'body: expected an object, found [1].'],
    ['runs/log-batch', '', 'run_id: expected the id of a run, found nothing.'],
    ['runs/log-batch', '{"run_id":5}', 'run_id: expected a text, found 5.'],
    ['runs/log-batch', `${RUN},"metrics":{}}`, 'metrics: expected a list, found {}.'],
    ['runs/log-batch', `${RUN},"metrics":[7]}`, 'metrics[0]: expected an object, found 7.'],
    [
      'runs/log-batch',
      `${RUN},"metrics":[{"key":1,"value":"x","timestamp":1.5,"step":true}]}`,
      'metrics[0].key: expected a text, found 1; metrics[0].value: expected a number, found "x"; ' +
        'metrics[0].timestamp: expected a 64-bit integer, found 1.5; metrics[0].step: expected a 64-bit integer, found true.',
    ],
    [
      'runs/log-batch',
      `${RUN},"metrics":[{"key":"a","value":1,"timestamp":9223372036854775808}]}`,
      'metrics[0].timestamp: expected a 64-bit integer, found "9223372036854775808".',
    ],
    ['runs/log-batch', `${RUN},"metrics":[{},{}]}`, /metrics\[1\].value: .* found nothing; and 1 more\.$/],
    ['runs/log-batch', `${RUN},"params":[{"value":"x"}]}`, 'params[0].key: expected a text, found nothing.'],
    ['runs/log-batch', `${RUN},"tags":[{"key":"a","value":5}]}`, 'tags[0].value: expected a text, found 5.'],
    ['runs/log-metric', `${RUN},"key":"a","timestamp":1}`, 'value: expected a number, found nothing.'],
    [
      'runs/log-metric',
      `${RUN},"key":"a","value":null,"timestamp":1}`,
      'value: expected a number, found null.',
    ],
    [
      'runs/update',
      `${RUN},"status":"DONE"}`,
      'status: expected one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED, found "DONE".',
    ],
    [
      'runs/update',
      `${RUN},"end_time":-1}`,
      'end_time: expected milliseconds since 1970, an integer from 0, found -1.',
    ],
    ['runs/search', '{"experiment_ids":["0"],"max_results":0}', 'max_results: expected 1 to 50000, found 0.'],
    [
      'runs/search',
      '{"experiment_ids":["0"],"filter":"a"}',
      /^filter, character 1: expected an attribute of a run/,
    ],
    [
      'runs/log-model',
      `${RUN},"model_json":"[]"}`,
      'model_json: expected a JSON object as text, found "[]".',
    ],
    [
      'runs/log-inputs',
      `${RUN},"datasets":[{"dataset":{"name":"a"}}]}`,
      /datasets\[0\].dataset.digest: expected a text/,
    ],
    ['experiments/create', '{}', 'name: expected a text, found nothing.'],
    [
      'logged-models',
      '{"experiment_id":"0","name":"a/b"}',
      /^name: expected the name of a model without .* found "a\/b"/,
    ],
  ])('to %s with %s is refused', async (path, body, message) => {
    const answer = await lab.send('POST', path, body.replace('RUN', runId));
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    if (typeof message === 'string') expect(answer.body['message']).toContain(message);
    else expect(answer.body['message']).toMatch(message);
    expect(lab.store.runs.get(runId)).toMatchObject({ metrics: [], params: [], info: { status: 'RUNNING' } });
  });

  it.each([
    ['runs/get?run_id=nobody', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['runs/get', 400, 'INVALID_PARAMETER_VALUE'],
    ['experiments/get?experiment_id=9', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['experiments/get-by-name?experiment_name=x', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['metrics/get-history?run_id=nobody&metric_key=a', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['metrics/get-history?run_id=RUN&metric_key=a&page_token=x', 400, 'INVALID_PARAMETER_VALUE'],
    ['metrics/get-history-bulk-interval?metric_key=a', 400, 'INVALID_PARAMETER_VALUE'],
    [
      'metrics/get-history-bulk-interval?run_ids=RUN&metric_key=a&max_results=2501',
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'metrics/get-history-bulk-interval?run_ids=RUN&metric_key=a&start_step=1',
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'metrics/get-history-bulk-interval?run_ids=RUN&metric_key=a&start_step=2&end_step=1',
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    ['logged-models/m-0', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['traces', 404, 'ENDPOINT_NOT_FOUND'],
  ])('for %s is answered with %i %s', async (path, status, code) => {
    const answer = await lab.get(path.replace('RUN', runId));
    expect([answer.status, answer.body['error_code']]).toEqual([status, code]);
  });

  it('of a name that is taken says so', async () => {
    const answer = await lab.send('POST', 'experiments/create', { name: 'Default' });
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'RESOURCE_ALREADY_EXISTS' } });
  });
});
