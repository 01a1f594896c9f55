import type { ExperimentStore } from '../tracking/experiment-store';
import type { LabRoutes } from './lab-server';
import { fields, given, integer, listOf, oneOfNames, pair, queryListOf, text } from './mlflow-fields';
import { experimentJson, pageJson } from './mlflow-json';
import { MLFLOW_API, requested } from './mlflow-request';

export const viewType = oneOfNames({ ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 });
const byId = fields({ experiment_id: text });
const byName = fields({ experiment_name: text });
const creation = fields({ name: text, artifact_location: given(text), tags: listOf(pair) });
const renaming = fields({ experiment_id: text, new_name: text });
const tagging = fields({ experiment_id: text, key: text, value: given(text) });
const untagging = fields({ experiment_id: text, key: text });
const searching = fields({
  filter: given(text),
  order_by: queryListOf(text),
  max_results: given(integer),
  page_token: given(text),
  view_type: given(viewType),
});

/** MLflow's operations on experiments. */
export function experimentRoutes(experiments: ExperimentStore): LabRoutes {
  const path = `${MLFLOW_API}/experiments`;
  return (app) => {
    app.post(`${path}/create`, (request) => {
      const { name, artifact_location, tags } = requested(creation, request);
      return { experiment_id: experiments.create(name, { artifactLocation: artifact_location, tags }) };
    });
    app.get(`${path}/get`, (request) => ({
      experiment: experimentJson(experiments.get(requested(byId, request).experiment_id)),
    }));
    app.get(`${path}/get-by-name`, (request) => ({
      experiment: experimentJson(experiments.getByName(requested(byName, request).experiment_name)),
    }));
    app.post(`${path}/delete`, (request) => {
      experiments.delete(requested(byId, request).experiment_id);
      return {};
    });
    app.post(`${path}/restore`, (request) => {
      experiments.restore(requested(byId, request).experiment_id);
      return {};
    });
    app.post(`${path}/update`, (request) => {
      const { experiment_id, new_name } = requested(renaming, request);
      experiments.rename(experiment_id, new_name);
      return {};
    });
    app.post(`${path}/set-experiment-tag`, (request) => {
      const { experiment_id, key, value = '' } = requested(tagging, request);
      experiments.setTag(experiment_id, { key, value });
      return {};
    });
    app.post(`${path}/delete-experiment-tag`, (request) => {
      const { experiment_id, key } = requested(untagging, request);
      experiments.deleteTag(experiment_id, key);
      return {};
    });
    app.route({
      method: ['GET', 'POST'],
      url: `${path}/search`,
      handler: (request) => {
        const { filter, order_by, max_results, page_token, view_type } = requested(searching, request);
        const page = experiments.search({
          filter,
          orderBy: order_by,
          maxResults: max_results,
          pageToken: page_token,
          viewType: view_type,
        });
        return pageJson('experiments', page, experimentJson);
      },
    });
  };
}
