import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { LabDataset, RequestInput, RequestOutput } from '../../../contract';
import type { JobWork } from '../../jobs';
import type { LabApi } from '../connection/lab-api';

const versionSchema = z
  .object({
    number: z.number(),
    hash: z.string(),
    publicHash: z.string(),
    files: z.number(),
    bytes: z.number(),
    note: z.string(),
    createdMs: z.number(),
  })
  .transform(({ publicHash, ...version }) => ({ ...version, hasHidden: publicHash !== version.hash }));
const datasetSchema = z.object({
  name: z.string(),
  owner: z.string(),
  visibility: z.enum(['private', 'shared']),
  description: z.string(),
  tags: z.array(z.string()),
  createdMs: z.number(),
  versions: z.array(versionSchema),
});
const listSchema = z.object({ datasets: z.array(datasetSchema) });
const filesSchema = z.object({
  files: z.array(z.object({ path: z.string(), bytes: z.number(), isHidden: z.boolean() })),
});
/** A line of a verification that tells how it goes; the last one is of another kind than those before. */
const verifyLineSchema = z.union([
  z.object({ doneBytes: z.number(), totalBytes: z.number() }),
  z.object({
    damaged: z.array(z.object({ hash: z.string(), fault: z.string(), paths: z.array(z.string()) })),
  }),
  z.object({
    error: z.object({
      code: z
        .enum(['bad-input', 'not-found', 'unauthorized', 'io', 'corrupt-store', 'cancelled', 'internal'])
        .catch('internal'),
      message: z.string(),
    }),
  }),
]);
const nothing = z.looseObject({});
const PATHS_NAMED = 3;

export async function listDatasets(api: LabApi): Promise<readonly LabDataset[]> {
  return (await api.get('datasets', listSchema)).datasets;
}

export async function datasetFiles(
  api: LabApi,
  { name, version }: RequestInput<'lab.datasetFiles'>,
): Promise<RequestOutput<'lab.datasetFiles'>> {
  return (await api.get(`${pathOf(name, version)}/files`, filesSchema)).files;
}

/** A push as a job's work: reads the folder, then sends what the lab has not got. */
export function pushWork(
  api: LabApi,
  { name, folder, note }: Omit<RequestInput<'lab.pushDataset'>, 'jobId'>,
): JobWork<LabDataset> {
  return async (report, signal) => {
    // The lab's libraries are large, and a console that pushes nothing does without them.
    const { DatasetClient } = await import('../../../lab');
    const { url, token, headers } = api;
    const { authorization: _, ...rest } = headers;
    const client = new DatasetClient({ url, token, headers: rest });
    try {
      await client.push(name, folder, {
        note,
        signal,
        onRead: (progress) => report({ phase: 'read', ...progress }),
        onProgress: (progress) => report({ phase: 'send', ...progress }),
      });
    } finally {
      await client.close();
    }
    return api.get(pathOf(name), datasetSchema);
  };
}

export function editDataset(
  api: LabApi,
  { name, ...edit }: RequestInput<'lab.editDataset'>,
): Promise<LabDataset> {
  return api.send('PATCH', pathOf(name), edit, datasetSchema);
}

/** A verification as a job's work. */
export function verifyWork(
  api: LabApi,
  { name, version }: Omit<RequestInput<'lab.verifyDataset'>, 'jobId'>,
): JobWork<RequestOutput<'lab.verifyDataset'>> {
  return async (report, signal) => {
    const { bytes } = await api.get(pathOf(name, version), versionSchema, signal);
    const answer = api.stream(`${pathOf(name, version)}/verify?progress=true`, signal, 'POST');
    for await (const line of linesOf(answer)) {
      const told = verifyLineSchema.parse(JSON.parse(line));
      if ('error' in told) throw new SluiceError(told.error.code, told.error.message);
      if ('damaged' in told) return { bytes, faults: told.damaged.map(faultText) };
      report({ phase: 'read', ...told });
    }
    throw new SluiceError(
      'unavailable',
      `The lab at ${api.url} stopped answering before ${name}@${version} was verified.`,
    );
  };
}

export async function removeDatasetVersion(
  api: LabApi,
  { name, version }: RequestInput<'lab.removeDatasetVersion'>,
): Promise<Record<string, never>> {
  await api.send('DELETE', pathOf(name, version), undefined, nothing);
  return {};
}

export function collectDatasets(api: LabApi): Promise<{ readonly freedBytes: number }> {
  return api.send('POST', 'collect', {}, z.object({ freedBytes: z.number() }));
}

/** `damaged: a.bin, b.bin and 3 more (chunk 1a2b3c4d5e6f)`. */
function faultText({
  hash,
  fault,
  paths,
}: {
  hash: string;
  fault: string;
  paths: readonly string[];
}): string {
  const more = paths.length > PATHS_NAMED ? ` and ${paths.length - PATHS_NAMED} more` : '';
  return `${fault}: ${paths.slice(0, PATHS_NAMED).join(', ')}${more} (chunk ${hash.slice(0, 12)})`;
}

/** Of an answer that is cut short, those that were whole. @throws what reaching the lab throws. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const part of bytes) {
      const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
  }
}

function pathOf(name: string, version?: number): string {
  const dataset = `datasets/${encodeURIComponent(name)}`;
  return version === undefined ? dataset : `${dataset}/versions/${version}`;
}
