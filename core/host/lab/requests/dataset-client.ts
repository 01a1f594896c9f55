import type { DatasetClient } from '../../../lab';
import type { LabApi } from '../connection/lab-api';

/** Datasets of the lab that `api` talks to, as the same user. Close it. */
export async function datasetClientOf({ url, token, headers }: LabApi): Promise<DatasetClient> {
  // With its database the lab is large, and every command of "sluice" comes by here.
  const lab = await import('../../../lab');
  const { authorization: _, ...rest } = headers;
  return new lab.DatasetClient({ url, token, headers: rest });
}
