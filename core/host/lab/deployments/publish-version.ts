import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import type { PublishedDeployment } from '../../../serving';
import { ioError } from '../../../storage';
import type { LabApi } from '../connection/lab-api';
import { fetchModelFile } from './model-file';
import type { ModelFile } from './model-file';
import { RegistryClient } from './registry-client';

/** Fetches the file of a version, for as long as it is used. @throws SluiceError as `fetchModelFile`, and what `use` throws. */
export async function withModelFile<T>(
  api: Pick<LabApi, 'url' | 'headers'>,
  version: { readonly model: string; readonly version: number },
  dataDir: string,
  use: (file: ModelFile) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(dataDir, { recursive: true }).catch((cause: unknown) => {
    throw ioError(`Can't make the data folder ${dataDir}`, cause);
  });
  const folder = await mkdtemp(join(dataDir, 'publish-')).catch((cause: unknown) => {
    throw ioError(`Can't write to ${dataDir}`, cause);
  });
  try {
    return await use(await fetchModelFile(new RegistryClient(api), version, folder, signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What an endpoint takes as a name, near to the model's. */
export function servedNameOf(model: string): string {
  const name = model.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return name.slice(0, 40) || 'model';
}

/** @throws SluiceError `not-found`. */
export function deploymentIn(
  deployments: readonly PublishedDeployment[],
  servedAs: string,
  where: string,
): PublishedDeployment {
  const found = deployments.find((deployment) => deployment.servedAs === servedAs);
  if (found) return found;
  const names = deployments.map((deployment) => deployment.servedAs).join(', ') || 'nothing';
  throw new SluiceError('not-found', `${where} has nothing published as ${servedAs}; it has ${names}.`, {
    servedAs,
  });
}

/**
 * Makes the registry say what answers at an endpoint: `sluice.endpoint.NAME` on the versions that do. Versions that are gone
 * from the registry are passed over.
 */
export async function tagVersions(
  api: Pick<LabApi, 'url' | 'headers'>,
  endpointName: string,
  before: PublishedDeployment | undefined,
  after: PublishedDeployment | undefined,
): Promise<void> {
  const model = after?.model ?? before?.model;
  if (model === undefined) return;
  const registry = new RegistryClient(api);
  const key = `sluice.endpoint.${endpointName.replace(/[^\p{L}\p{N}_.\-: /]/gu, '-').slice(0, 200)}`;
  const now = rolesOf(after);
  const gone = [...rolesOf(before).keys()].filter((version) => !now.has(version));
  for (const version of gone) await passOver(registry.removeTag(model, version, key));
  for (const [version, role] of now) await passOver(registry.setTag(model, version, key, role));
}

function rolesOf(deployment: PublishedDeployment | undefined): ReadonlyMap<number, string> {
  const roles = new Map<number, string>();
  if (!deployment) return roles;
  const { servedAs, stable, canary } = deployment;
  roles.set(stable.version, `${servedAs}: stable`);
  if (canary) roles.set(canary.version, `${servedAs}: canary ${canary.sharePct}%`);
  return roles;
}

async function passOver(work: Promise<void>): Promise<void> {
  await work.catch((thrown: unknown) => {
    if (SluiceError.from(thrown).code !== 'not-found') throw thrown;
  });
}
