import type { RunStore } from '../tracking/run-store';
import type { TrackingStore } from '../tracking/tracking-store';
import type { DatasetInput } from '../tracking/tracking-types';
import { viewType } from './experiment-routes';
import type { LabRoutes } from './lab-server';
import { expected, fields, given, integer, listOf, oneOfNames, pair, text, time } from './mlflow-fields';
import { pageJson, runInfoJson, runJson } from './mlflow-json';
import { MLFLOW_API, requested } from './mlflow-request';

const status = oneOfNames({ RUNNING: 1, SCHEDULED: 2, FINISHED: 3, FAILED: 4, KILLED: 5 });

/** Older clients say `run_uuid`; newer ones both. */
export const runFields = { run_id: given(text), run_uuid: given(text) };
export function withRunId<T extends { run_id?: string | undefined; run_uuid?: string | undefined }>(
  request: T,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): T & { readonly runId: string } {
  const runId = request.run_id || request.run_uuid || '';
  if (runId === '') {
    context.addIssue({
      code: 'custom',
      path: ['run_id'],
      message: expected('the id of a run', request.run_id),
    });
  }
  return { ...request, runId };
}

const byId = fields(runFields).transform(withRunId);
const creation = fields({
  experiment_id: given(text),
  user_id: given(text),
  run_name: given(text),
  start_time: given(time),
  tags: listOf(pair),
});
const change = fields({
  ...runFields,
  status: given(status),
  end_time: given(time),
  run_name: given(text),
}).transform(withRunId);
const untagging = fields({ ...runFields, key: text }).transform(withRunId);
const searching = fields({
  experiment_ids: listOf(text),
  filter: given(text),
  order_by: listOf(text),
  max_results: given(integer),
  page_token: given(text),
  run_view_type: given(viewType),
});
const datasetInput = fields({
  tags: listOf(pair),
  dataset: fields({
    name: text,
    digest: text,
    source_type: text,
    source: text,
    schema: given(text),
    profile: given(text),
  }),
}).transform(({ tags, dataset: { source_type, ...dataset } }): DatasetInput => ({
  tags,
  dataset: { ...dataset, sourceType: source_type },
}));
const inputs = fields({
  ...runFields,
  datasets: listOf(datasetInput),
  models: listOf(fields({ model_id: text })),
}).transform(withRunId);
const outputs = fields({
  ...runFields,
  models: listOf(fields({ model_id: text, step: given(integer) })),
}).transform(withRunId);
const modelRecord = fields({ ...runFields, model_json: text }).transform((request, context) => {
  const parsed = parsedObject(request.model_json);
  if (!parsed) {
    const message = expected('a JSON object as text', request.model_json);
    context.addIssue({ code: 'custom', path: ['model_json'], message });
  }
  return withRunId({ ...request, model: parsed ?? {} }, context);
});

/** MLflow's operations on runs, but for what is logged to them again and again. */
export function runRoutes(store: TrackingStore): LabRoutes {
  const path = `${MLFLOW_API}/runs`;
  const { runs } = store;
  return (app) => {
    app.post(`${path}/create`, (request) => ({ run: runJson(created(runs, requested(creation, request))) }));
    app.get(`${path}/get`, (request) => ({ run: runJson(runs.get(requested(byId, request).runId)) }));
    app.post(`${path}/update`, (request) => {
      const { runId, status, end_time, run_name } = requested(change, request);
      return { run_info: runInfoJson(runs.update(runId, { status, endMs: end_time, name: run_name })) };
    });
    app.post(`${path}/delete`, (request) => {
      runs.delete(requested(byId, request).runId);
      return {};
    });
    app.post(`${path}/restore`, (request) => {
      runs.restore(requested(byId, request).runId);
      return {};
    });
    app.post(`${path}/delete-tag`, (request) => {
      const { runId, key } = requested(untagging, request);
      runs.deleteTag(runId, key);
      return {};
    });
    app.post(`${path}/search`, (request) => {
      const { experiment_ids, order_by, max_results, page_token, run_view_type, filter } = requested(
        searching,
        request,
      );
      const page = runs.search({
        experimentIds: experiment_ids,
        filter,
        orderBy: order_by,
        maxResults: max_results,
        pageToken: page_token,
        viewType: run_view_type,
      });
      return pageJson('runs', page, runJson);
    });
    app.post(`${path}/log-inputs`, (request) => {
      const { runId, datasets, models } = requested(inputs, request);
      store.logInputs(
        runId,
        datasets,
        models.map(({ model_id }) => model_id),
      );
      return {};
    });
    app.post(`${path}/outputs`, (request) => {
      const { runId, models } = requested(outputs, request);
      runs.addOutputs(
        runId,
        models.map(({ model_id, step = 0 }) => ({ modelId: model_id, step })),
      );
      return {};
    });
    app.post(`${path}/log-model`, (request) => {
      const { runId, model } = requested(modelRecord, request);
      runs.addModelRecord(runId, model);
      return {};
    });
  };
}

type Creation = ReturnType<(typeof creation)['parse']>;

/** Without an experiment a run belongs to the default one. */
function created(runs: RunStore, { experiment_id = '0', user_id, run_name, start_time, tags }: Creation) {
  return runs.create({
    experimentId: experiment_id,
    userId: user_id,
    name: run_name,
    startMs: start_time,
    tags,
  });
}

function parsedObject(json: string): object | undefined {
  try {
    const parsed = JSON.parse(json) as unknown;
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
