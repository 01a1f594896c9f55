import { z } from 'zod';

import type { LabModel, RequestInput } from '../../../contract';
import type { LabApi } from '../connection/lab-api';

const versionSchema = z
  .object({
    version: z.number(),
    stage: z.string(),
    aliases: z.array(z.string()),
    description: z.string(),
    createdMs: z.number(),
    source: z.string(),
    /** Empty when none was named. */
    runId: z.string(),
    runName: z.string().exactOptional(),
  })
  .transform(({ runId, ...version }) => ({ ...version, ...(runId !== '' && { runId }) }));
export const modelSchema = z.object({
  name: z.string(),
  description: z.string(),
  updatedMs: z.number(),
  versions: z.array(versionSchema),
});

export async function listModels(api: LabApi, signal?: AbortSignal): Promise<readonly LabModel[]> {
  return (await api.get('models', z.object({ models: z.array(modelSchema) }), signal)).models;
}

export function registerModel(
  api: LabApi,
  asked: RequestInput<'lab.registerModel'>,
  signal?: AbortSignal,
): Promise<LabModel> {
  return api.send('POST', 'models', asked, modelSchema, signal);
}

export function setAlias(
  api: LabApi,
  { model, alias, version }: RequestInput<'lab.setAlias'>,
  signal?: AbortSignal,
): Promise<LabModel> {
  const path = `${modelPath(model)}/aliases/${encodeURIComponent(alias)}`;
  return version === undefined
    ? api.send('DELETE', path, undefined, modelSchema, signal)
    : api.send('PUT', path, { version }, modelSchema, signal);
}

export function modelPath(model: string): string {
  return `models/${encodeURIComponent(model)}`;
}
