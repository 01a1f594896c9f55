import { DatasetClient } from '../../lab';
import type { LabApi } from './lab-api';

/** Datasets of the lab that `api` talks to, as the same user. Close it. */
export function datasetClientOf({ url, token, headers }: LabApi): DatasetClient {
  const { authorization: _, ...rest } = headers;
  return new DatasetClient({ url, token, headers: rest });
}
