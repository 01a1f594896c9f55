import type { DatasetClient } from '../../lab';
import type { LabApi } from './lab-api';

/** Datasets of the lab that `api` talks to, as the same user. Close it. */
export async function datasetClientOf({ url, token, headers }: LabApi): Promise<DatasetClient> {
  // With its database it is large, and old runtimes can't load it at their start.
  const { DatasetClient } = await import('../../lab');
  const { authorization: _, ...rest } = headers;
  return new DatasetClient({ url, token, headers: rest });
}
