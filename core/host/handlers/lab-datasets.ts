import type { LabDatasetRequests } from '../../contract';
import {
  collectDatasets,
  datasetFiles,
  editDataset,
  listDatasets,
  pushWork,
  removeDatasetVersion,
  verifyWork,
} from '../lab/requests/lab-datasets';
import { apiOf, type LabHandlers } from '../lab/connection/lab-link';

export const labDatasetHandlers: LabHandlers<keyof LabDatasetRequests> = {
  'lab.datasets': async (_input, link) => listDatasets(await apiOf(link)),
  'lab.datasetFiles': async (input, link) => datasetFiles(await apiOf(link), input),
  'lab.pushDataset': async ({ jobId, ...input }, link) => {
    const start = { id: jobId, kind: 'push', subject: input.name } as const;
    return link.jobs.run(start, pushWork(await apiOf(link), input));
  },
  'lab.editDataset': async (input, link) => editDataset(await apiOf(link), input),
  'lab.verifyDataset': async ({ jobId, ...input }, link) => {
    const start = { id: jobId, kind: 'verify', subject: `${input.name}@${input.version}` } as const;
    return link.jobs.run(start, verifyWork(await apiOf(link), input));
  },
  'lab.removeDatasetVersion': async (input, link) => removeDatasetVersion(await apiOf(link), input),
  'lab.collectDatasets': async (_input, link) => collectDatasets(await apiOf(link)),
};
