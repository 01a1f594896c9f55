import { isAbsolute } from 'node:path';

import { z } from 'zod';

import type {
  LabCompetitionRequests,
  LabDatasetRequests,
  LabModelRequests,
  LabQueueRequests,
  LabSearchRequests,
  RequestInput,
} from '../../../contract';
import { LAB_RUN_SCHEMAS } from './run-schemas';

type ShelfRequests = LabQueueRequests &
  LabDatasetRequests &
  LabCompetitionRequests &
  LabModelRequests &
  Omit<LabSearchRequests, 'lab.startExample'>;

const MOST_TEXT = 10_000;
/** A search may list a thousand parameters to begin with. */
const MOST_SEARCH_TEXT = 1 << 20;

const nothing = z.strictObject({});
const jobId = z.string().min(1).max(200);
const name = z.string().min(1).max(300);
const run = z.string().min(1).max(300);
const version = z.int().min(1);
const folder = z
  .string()
  .max(4096)
  .refine((value) => isAbsolute(value) && !value.includes('\0'), 'expected an absolute path');
const artifact = z.string().min(1).max(1000);
const parameterValue = z.union([z.number(), z.string().max(500), z.boolean()]);

const brush = z.union(
  [
    z.strictObject({ parameter: name, min: z.number(), max: z.number() }),
    z.strictObject({ parameter: name, values: z.array(parameterValue).max(1000) }),
  ],
  'expected {parameter, min, max} or {parameter, values}',
);
const competition = z.strictObject({ competition: name });
const search = z.strictObject({ id: name });

/** What requests about the lab's queue, datasets, competitions, models and searches may carry. */
export const LAB_SHELF_SCHEMAS: { readonly [N in keyof ShelfRequests]: z.ZodType<RequestInput<N>> } = {
  'lab.queue': nothing,
  'lab.datasets': nothing,
  'lab.datasetFiles': z.strictObject({ name, version }),
  'lab.pushDataset': z.strictObject({ jobId, name, folder, note: z.string().max(1000) }),
  'lab.editDataset': z.strictObject({
    name,
    visibility: z.enum(['private', 'shared']).exactOptional(),
    description: z.string().max(MOST_TEXT).exactOptional(),
    tags: z.array(z.string().trim().min(1).max(100)).max(100).exactOptional(),
  }),
  'lab.verifyDataset': z.strictObject({ jobId, name, version }),
  'lab.removeDatasetVersion': z.strictObject({ name, version }),
  'lab.collectDatasets': nothing,
  'lab.competitions': nothing,
  'lab.board': competition,
  'lab.submissions': competition,
  'lab.submit': z.strictObject({
    run,
    competition: name,
    checkpoint: artifact.exactOptional(),
    isDryRun: z.boolean(),
  }),
  'lab.models': nothing,
  'lab.registerModel': z.strictObject({
    run,
    path: artifact,
    model: name,
    description: z.string().max(MOST_TEXT),
  }),
  'lab.setAlias': z.strictObject({
    model: name,
    alias: z.string().min(1).max(255),
    version: version.exactOptional(),
  }),
  'lab.searches': nothing,
  'lab.search': search,
  'lab.startSearch': z.strictObject({
    name: name.exactOptional(),
    search: z.string().max(MOST_SEARCH_TEXT),
    trials: LAB_RUN_SCHEMAS['lab.launch'],
  }),
  'lab.narrowSearch': z.strictObject({
    id: name,
    name: name.exactOptional(),
    brushes: z.array(brush).max(200),
  }),
  'lab.stopSearch': search,
  'lab.resumeSearch': search,
  'lab.removeSearch': search,
};
