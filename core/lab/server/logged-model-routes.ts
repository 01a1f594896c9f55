import type { ModelStore } from '../tracking/model-store';
import type { LabRoutes } from './lab-server';
import { fields, flag, given, integer, listOf, oneOfNames, pair, text } from './mlflow-fields';
import { modelJson, pageJson } from './mlflow-json';
import { MLFLOW_API, requested } from './mlflow-request';

const status = oneOfNames({
  LOGGED_MODEL_PENDING: 1,
  LOGGED_MODEL_READY: 2,
  LOGGED_MODEL_UPLOAD_FAILED: 3,
});
const creation = fields({
  experiment_id: text,
  name: given(text),
  model_type: given(text),
  source_run_id: given(text),
  params: listOf(pair),
  tags: listOf(pair),
});
const finalization = fields({ status });
const reading = fields({ allow_deleted: given(flag) });
const params = fields({ params: listOf(pair) });
const tags = fields({ tags: listOf(pair) });
const searching = fields({
  experiment_ids: listOf(text),
  filter: given(text),
  order_by: listOf(fields({ field_name: text, ascending: given(flag) })),
  max_results: given(integer),
  page_token: given(text),
});

/** MLflow 3's logged models. */
export function loggedModelRoutes(models: ModelStore): LabRoutes {
  const path = `${MLFLOW_API}/logged-models`;
  return (app) => {
    app.post(path, (request) => {
      const { experiment_id, name, model_type, source_run_id, ...rest } = requested(creation, request);
      const options = { name, modelType: model_type, sourceRunId: source_run_id, ...rest };
      return { model: modelJson(models.create({ experimentId: experiment_id, ...options })) };
    });
    app.post(`${path}/search`, (request) => {
      const { experiment_ids, filter, order_by, max_results, page_token } = requested(searching, request);
      const page = models.search({
        experimentIds: experiment_ids,
        filter,
        orderBy: order_by.map(
          ({ field_name, ascending = true }) => `${field_name}${ascending ? '' : ' DESC'}`,
        ),
        maxResults: max_results,
        pageToken: page_token,
      });
      return pageJson('models', page, modelJson);
    });
    app.get<ModelParams>(`${path}/:modelId`, (request) => {
      const { allow_deleted = false } = requested(reading, request);
      return { model: modelJson(models.get(request.params.modelId, { isDeletedToo: allow_deleted })) };
    });
    app.patch<ModelParams>(`${path}/:modelId`, (request) => ({
      model: modelJson(models.finalize(request.params.modelId, requested(finalization, request).status)),
    }));
    app.delete<ModelParams>(`${path}/:modelId`, (request) => {
      models.delete(request.params.modelId);
      return {};
    });
    app.post<ModelParams>(`${path}/:modelId/params`, (request) => {
      models.addParams(request.params.modelId, requested(params, request).params);
      return {};
    });
    app.patch<ModelParams>(`${path}/:modelId/tags`, (request) => ({
      model: modelJson(models.setTags(request.params.modelId, requested(tags, request).tags)),
    }));
    app.delete<TagParams>(`${path}/:modelId/tags/:key`, (request) => {
      models.deleteTag(request.params.modelId, request.params.key);
      return {};
    });
  };
}

interface ModelParams {
  readonly Params: { readonly modelId: string };
}

interface TagParams {
  readonly Params: { readonly modelId: string; readonly key: string };
}
