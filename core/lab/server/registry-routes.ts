import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { ModelRegistry } from '../registry/model-registry';
import type { ModelVersion, RegisteredModel } from '../registry/registry-rows';
import type { RegistrySearch } from '../registry/search-sql';
import type { LabRoutes } from './lab-server';
import { parseJsonBody, parseRequest } from './parse-request';

const MODELS = '/api/2.0/mlflow/registered-models';
const VERSIONS = '/api/2.0/mlflow/model-versions';
/** MLflow's limits and what it takes when none is given (mlflow/store/model_registry). */
const MODELS_ON_A_PAGE = { usual: 100, most: 1000 };
const VERSIONS_ON_A_PAGE = { usual: 10_000, most: 200_000 };

const required = z.string({ error: 'expected a text' }).min(1, 'expected a text, found an empty one');
/** Absent, null and empty are one thing in MLflow's messages. */
const optional = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const NO_VERSION = 'expected the number of a version';
const versionNumber = z
  .union([z.string().regex(/^\d{1,15}$/, NO_VERSION), z.int(NO_VERSION).min(0, NO_VERSION)], {
    error: NO_VERSION,
  })
  .transform(Number);
const tags = z
  .array(z.object({ key: required, value: optional }))
  .nullish()
  .transform((list) => list ?? []);
/** In a query, a list of one is no list. */
const texts = z
  .union([z.array(z.string()), z.string().transform((one) => [one])])
  .nullish()
  .transform((list) => list ?? []);

const Name = z.object({ name: required });
const NewModel = Name.extend({ tags, description: optional });
const Described = Name.extend({ description: optional });
const Renamed = Name.extend({ new_name: required });
const Version = Name.extend({ version: versionNumber });
const NewVersion = Name.extend({
  source: required,
  run_id: optional,
  run_link: optional,
  model_id: optional,
  description: optional,
  tags,
});
const Moved = Version.extend({ stage: required, archive_existing_versions: flag });
const Stages = Name.extend({ stages: texts });
const Key = { key: required };
const KeyAndValue = { key: required, value: optional };
const Alias = Name.extend({ alias: required });

/** MLflow's model registry. */
export function registryRoutes(registry: ModelRegistry): LabRoutes {
  return (app) => {
    addModels(app, registry);
    addModelDetails(app, registry);
    addVersions(app, registry);
    addVersionDetails(app, registry);
  };
}

function addModels(app: FastifyInstance, { models }: ModelRegistry): void {
  app.post(`${MODELS}/create`, ({ body }) => {
    const { name, tags, description } = parseJsonBody(NewModel, body);
    return { registered_model: modelMessage(models.create(name, tags, description)) };
  });
  app.get(`${MODELS}/get`, ({ query }) => ({
    registered_model: modelMessage(models.get(parseRequest(Name, query).name)),
  }));
  app.patch(`${MODELS}/update`, ({ body }) => {
    const { name, description } = parseJsonBody(Described, body);
    return { registered_model: modelMessage(models.update(name, description)) };
  });
  app.post(`${MODELS}/rename`, ({ body }) => {
    const { name, new_name } = parseJsonBody(Renamed, body);
    return { registered_model: modelMessage(models.rename(name, new_name)) };
  });
  app.delete(`${MODELS}/delete`, ({ body }) => {
    models.remove(parseJsonBody(Name, body).name);
    return {};
  });
  app.get(`${MODELS}/search`, (request) => {
    const { items, nextPageToken } = models.search(searchIn(request, MODELS_ON_A_PAGE));
    return { registered_models: items.map(modelMessage), next_page_token: nextPageToken };
  });
}

function addModelDetails(app: FastifyInstance, { models, versions }: ModelRegistry): void {
  app.post(`${MODELS}/set-tag`, ({ body }) => {
    const { name, key, value } = parseJsonBody(Name.extend(KeyAndValue), body);
    models.setTag(name, { key, value });
    return {};
  });
  app.delete(`${MODELS}/delete-tag`, ({ body }) => {
    const { name, key } = parseJsonBody(Name.extend(Key), body);
    models.removeTag(name, key);
    return {};
  });
  app.post(`${MODELS}/alias`, ({ body }) => {
    const { name, alias, version } = parseJsonBody(Alias.extend({ version: versionNumber }), body);
    versions.setAlias(name, alias, version);
    return {};
  });
  app.delete(`${MODELS}/alias`, ({ body }) => {
    const { name, alias } = parseJsonBody(Alias, body);
    versions.removeAlias(name, alias);
    return {};
  });
  app.get(`${MODELS}/alias`, ({ query }) => {
    const { name, alias } = parseRequest(Alias, query);
    return { model_version: versionMessage(versions.byAlias(name, alias)) };
  });
  const latest = ({ name, stages }: z.output<typeof Stages>) => ({
    model_versions: versions.latest(name, stages).map(versionMessage),
  });
  app.post(`${MODELS}/get-latest-versions`, ({ body }) => latest(parseJsonBody(Stages, body)));
  app.get(`${MODELS}/get-latest-versions`, ({ query }) => latest(parseRequest(Stages, query)));
}

function addVersions(app: FastifyInstance, { versions }: ModelRegistry): void {
  app.post(`${VERSIONS}/create`, ({ body }) => {
    const { name, source, run_id, run_link, model_id, description, tags } = parseJsonBody(NewVersion, body);
    const given = {
      model: name,
      source,
      runId: run_id,
      runLink: run_link,
      loggedModel: model_id,
      description,
      tags,
    };
    return { model_version: versionMessage(versions.create(given)) };
  });
  app.get(`${VERSIONS}/get`, ({ query }) => {
    const { name, version } = parseRequest(Version, query);
    return { model_version: versionMessage(versions.get(name, version)) };
  });
  app.patch(`${VERSIONS}/update`, ({ body }) => {
    const { name, version, description } = parseJsonBody(Version.extend({ description: optional }), body);
    return { model_version: versionMessage(versions.update(name, version, description)) };
  });
  app.delete(`${VERSIONS}/delete`, ({ body }) => {
    const { name, version } = parseJsonBody(Version, body);
    versions.remove(name, version);
    return {};
  });
  app.get(`${VERSIONS}/search`, (request) => {
    const { items, nextPageToken } = versions.search(searchIn(request, VERSIONS_ON_A_PAGE));
    return { model_versions: items.map(versionMessage), next_page_token: nextPageToken };
  });
}

function addVersionDetails(app: FastifyInstance, { versions }: ModelRegistry): void {
  app.post(`${VERSIONS}/transition-stage`, ({ body }) => {
    const { name, version, stage, archive_existing_versions } = parseJsonBody(Moved, body);
    return {
      model_version: versionMessage(versions.moveTo(name, version, stage, archive_existing_versions)),
    };
  });
  app.get(`${VERSIONS}/get-download-uri`, ({ query }) => {
    const { name, version } = parseRequest(Version, query);
    return { artifact_uri: versions.get(name, version).location };
  });
  app.post(`${VERSIONS}/set-tag`, ({ body }) => {
    const { name, version, key, value } = parseJsonBody(Version.extend(KeyAndValue), body);
    versions.setTag(name, version, { key, value });
    return {};
  });
  app.delete(`${VERSIONS}/delete-tag`, ({ body }) => {
    const { name, version, key } = parseJsonBody(Version.extend(Key), body);
    versions.removeTag(name, version, key);
    return {};
  });
}

function searchIn(
  { query }: FastifyRequest,
  page: { readonly usual: number; readonly most: number },
): RegistrySearch {
  const Search = z.object({
    filter: optional,
    max_results: z.coerce
      .number({ error: 'expected a number' })
      .int('expected a whole number')
      .min(1, 'expected at least 1')
      .max(page.most, `expected at most ${page.most}`)
      .default(page.usual),
    order_by: texts,
    page_token: optional,
  });
  const { filter, max_results, order_by, page_token } = parseRequest(Search, query);
  return { filter, maxResults: max_results, orderBy: order_by, pageToken: page_token };
}

function modelMessage(model: RegisteredModel): object {
  return {
    name: model.name,
    creation_timestamp: model.createdMs,
    last_updated_timestamp: model.updatedMs,
    description: model.description,
    tags: model.tags,
    aliases: model.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
    latest_versions: model.latestVersions.map(versionMessage),
  };
}

function versionMessage(version: ModelVersion): object {
  return {
    name: version.model,
    version: String(version.version),
    creation_timestamp: version.createdMs,
    last_updated_timestamp: version.updatedMs,
    current_stage: version.stage,
    description: version.description,
    source: version.source,
    run_id: version.runId,
    run_link: version.runLink,
    model_id: version.loggedModel,
    status: 'READY',
    tags: version.tags,
    aliases: version.aliases,
  };
}
