import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { BearerToken } from '../../serving';
import type { LabModels } from '../lab-models';
import type { LabRoutes } from './lab-server';
import { parseJsonBody, parseRequest } from './parse-request';

const MODELS = '/api/sluice/models';

const newVersionSchema = z.strictObject({
  run: z.string().min(1).max(300),
  path: z.string().min(1).max(1000),
  model: z.string().max(300),
  description: z.string().max(100_000).default(''),
});
const aliasSchema = z.strictObject({ version: z.int().min(1) });
const stageSchema = z.strictObject({
  stage: z.string().max(100),
  archivesOthers: z.boolean().default(false),
});
const versionSchema = z.coerce.number({ error: 'expected the number of a version' }).int().min(1);

type Named = FastifyRequest<{
  readonly Params: { readonly model: string; readonly alias: string; readonly version: string };
}>;

/**
 * Registered models with all their versions and the runs they came from, below `/api/sluice/models`; MLflow's own
 * routes are `registryRoutes`.
 * @param guard as for launching runs.
 */
export function modelRoutes(models: LabModels, guard: BearerToken): LabRoutes {
  return (app) => {
    void app.register((scope: FastifyInstance) => {
      scope.addHook('onRequest', async ({ headers }) => guard.check(headers.authorization));
      addModels(scope, models);
      addVersions(scope, models);
      return Promise.resolve();
    });
  };
}

function addModels(app: FastifyInstance, models: LabModels): void {
  app.get(MODELS, () => ({ models: models.list() }));
  app.get(`${MODELS}/:model`, ({ params }: Named) => models.get(params.model));
  app.delete(`${MODELS}/:model`, ({ params }: Named) => {
    models.registry.models.remove(params.model);
    return {};
  });
}

function addVersions(app: FastifyInstance, models: LabModels): void {
  const { versions } = models.registry;
  app.post(MODELS, (request) => models.register(parseJsonBody(newVersionSchema, request.body)));
  app.put(`${MODELS}/:model/aliases/:alias`, ({ params, body }: Named) => {
    versions.setAlias(params.model, params.alias, parseJsonBody(aliasSchema, body).version);
    return models.get(params.model);
  });
  app.delete(`${MODELS}/:model/aliases/:alias`, ({ params }: Named) => {
    versions.removeAlias(params.model, params.alias);
    return models.get(params.model);
  });
  app.post(`${MODELS}/:model/versions/:version/stage`, ({ params, body }: Named) => {
    const { stage, archivesOthers } = parseJsonBody(stageSchema, body);
    versions.moveTo(params.model, versionOf(params.version), stage, archivesOthers);
    return models.get(params.model);
  });
  app.delete(`${MODELS}/:model/versions/:version`, ({ params }: Named) => {
    versions.remove(params.model, versionOf(params.version));
    return models.get(params.model);
  });
}

function versionOf(text: string): number {
  return parseRequest(versionSchema, text);
}
