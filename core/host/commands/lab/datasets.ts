import { join, resolve } from 'node:path';

import type { Command } from 'commander';
import { z } from 'zod';

import { formatBytes } from '../../../base';
import { datasetClientOf } from '../../lab/requests/dataset-client';
import type { LabConnection } from '../../lab/connection/lab-connection';
import type { CommandContext, Outcome } from '../context';
import { EXIT } from '../exit-codes';
import { showProgress } from '../progress';
import { table } from '../table';
import { onLab } from './on-lab';

const versionSchema = z.looseObject({
  number: z.number(),
  hash: z.string(),
  files: z.number(),
  bytes: z.number(),
});
const datasetSchema = z.looseObject({
  name: z.string(),
  owner: z.string(),
  visibility: z.string(),
  description: z.string(),
  versions: z.array(versionSchema),
});
const damagedSchema = z.object({
  damaged: z.array(z.object({ hash: z.string(), fault: z.string(), paths: z.array(z.string()) })),
});
const collectedSchema = z.object({
  freedBytes: z.number(),
  chunkBytes: z.number(),
  laidOutBytes: z.number(),
  jobBytes: z.number(),
  submissionBytes: z.number(),
});
type ShownDataset = z.infer<typeof datasetSchema>;
type ShownVersion = z.infer<typeof versionSchema>;

interface PushOptions {
  readonly note?: string;
  readonly hidden?: readonly string[];
  readonly shared?: boolean;
}

/** `sluice lab dataset ...`. */
export function addLabDatasetCommands(lab: Command): void {
  const dataset = lab.command('dataset').description('versions of folders, by content');
  dataset
    .command('push')
    .argument('<name>')
    .argument('<path>', 'a file or a folder')
    .description('make a file or a folder the next version; what the lab has is not sent again')
    .option('--note <text>', 'what the version is about')
    .option('--hidden <folders...>', 'folders that only evaluators of competitions get, like answers/')
    .option('--shared', 'everybody of the lab may read it')
    .action((name: string, path: string, options: PushOptions, command: Command) =>
      onLab(command, (lab, context) => push(context, lab, name, path, options)),
    );
  dataset
    .command('list')
    .argument('[text]', 'in the name, the description or a tag')
    .description('datasets you may read')
    .action((text: string | undefined, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const query = new URLSearchParams(text === undefined ? {} : { search: text });
        const schema = z.object({ datasets: z.array(datasetSchema) });
        const { datasets } = await api.get(`datasets?${query.toString()}`, schema, context.signal);
        return { json: { datasets }, text: datasetTable(datasets) };
      }),
    );
  dataset
    .command('verify')
    .argument('<name>', 'NAME or NAME@VERSION')
    .description('read every byte of a version again')
    .action((reference: string, _options, command: Command) =>
      onLab(command, (lab, context) => verify(context, lab, reference)),
    );
  dataset
    .command('pull')
    .argument('<name>', 'NAME or NAME@VERSION')
    .argument('<folder>', 'must not be there, or be empty')
    .description('write a version as a folder')
    .action((reference: string, folder: string, _options, command: Command) =>
      onLab(command, (lab, context) => pull(context, lab, reference, folder)),
    );
  dataset
    .command('rm')
    .argument('<name>', 'NAME@VERSION, or NAME: all versions')
    .description('remove a version or a dataset')
    .action((reference: string, _options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const { parseDatasetRef } = await loadLab();
        const { name, version } = parseDatasetRef(reference);
        const path = `datasets/${name}${reference.includes('@') ? `/versions/${version}` : ''}`;
        await api.send('DELETE', path, undefined, z.looseObject({}), context.signal);
        return { json: { removed: reference }, text: `Removed ${reference}.` };
      }),
    );
  dataset
    .command('gc')
    .description('free the room of what no version, run or search needs any more')
    .action((_options, command: Command) =>
      onLab(command, async ({ api }, context) => {
        const collected = await api.send('POST', 'collect', {}, collectedSchema, context.signal);
        return { json: collected, text: collectedText(collected) };
      }),
    );
}

function collectedText(collected: z.output<typeof collectedSchema>): string {
  const { freedBytes, chunkBytes, laidOutBytes, jobBytes, submissionBytes } = collected;
  const parts = [
    [chunkBytes, 'files of datasets and code'],
    [laidOutBytes, 'datasets laid out for runs'],
    [jobBytes, 'records of jobs'],
    [submissionBytes, 'predictions'],
  ] as const;
  const told = parts.flatMap(([bytes, what]) => (bytes > 0 ? [`${formatBytes(bytes)} of ${what}`] : []));
  return `Freed ${formatBytes(freedBytes)}${told.length > 0 ? `: ${told.join(', ')}` : ''}.`;
}

async function push(
  { signal }: CommandContext,
  { api }: LabConnection,
  name: string,
  path: string,
  { note, hidden, shared }: PushOptions,
): Promise<Outcome> {
  const client = await datasetClientOf(api);
  const progress = showProgress(name, process.stderr);
  try {
    const { version, sentChunks, sentBytes } = await client.push(name, resolve(path), {
      signal,
      ...(note !== undefined && { note }),
      ...(hidden && { hidden }),
      onProgress: ({ doneBytes, totalBytes }) => progress.show('sending', doneBytes, totalBytes),
    });
    if (shared) {
      await api.send('PATCH', `datasets/${name}`, { visibility: 'shared' }, z.looseObject({}), signal);
    }
    const { number, hash, files, bytes } = version;
    return {
      json: { name, version, sentChunks, sentBytes },
      text: `${name}@${number} (${hash.slice(0, 12)}): ${files} files, ${formatBytes(bytes)}; ${formatBytes(sentBytes)} were new.`,
    };
  } finally {
    progress.end();
    await client.close();
  }
}

async function pull(
  { signal, dataDir }: CommandContext,
  { api }: LabConnection,
  reference: string,
  folder: string,
): Promise<Outcome> {
  const { parseDatasetRef } = await loadLab();
  const { name, version } = parseDatasetRef(reference);
  const client = await datasetClientOf(api);
  const progress = showProgress(name, process.stderr);
  try {
    const { openTrees } = await loadLab();
    const trees = await openTrees(join(dataDir, 'lab-pulls'));
    const received = await client.pull(name, version, resolve(folder), {
      signal,
      trees,
      onProgress: ({ doneBytes, totalBytes }) => progress.show('receiving', doneBytes, totalBytes),
    });
    return {
      json: { name, version, folder: resolve(folder), ...received },
      text: `${reference} is in ${folder}; ${formatBytes(received.receivedBytes)} were received.`,
    };
  } finally {
    progress.end();
    await client.close();
  }
}

async function verify(
  { signal }: CommandContext,
  { api }: LabConnection,
  reference: string,
): Promise<Outcome> {
  const { parseDatasetRef } = await loadLab();
  const { name, version } = parseDatasetRef(reference);
  const path = `datasets/${name}/versions/${version}/verify`;
  const { damaged } = await api.send('POST', path, {}, damagedSchema, signal);
  const lines = damaged.map(
    ({ hash, fault, paths }) => `${fault}: ${hash.slice(0, 12)} of ${paths.join(', ')}`,
  );
  return {
    json: { name, version, damaged },
    text:
      damaged.length === 0
        ? `${reference} is whole.`
        : [
            `${reference}: ${damaged.length} parts are not as they were. Push the same files again.`,
            ...lines,
          ].join('\n'),
    ...(damaged.length > 0 && { exitCode: EXIT.failed }),
  };
}

/** With its database it is large, and every command of "sluice" comes by here. */
function loadLab() {
  return import('../../../lab');
}

function datasetTable(datasets: readonly ShownDataset[]): string {
  if (datasets.length === 0) return 'No datasets. "sluice lab dataset push NAME FOLDER" makes one.';
  const newest = ({ versions: [first] }: ShownDataset, text: (version: ShownVersion) => string): string =>
    first ? text(first) : '';
  return table<ShownDataset>(
    [
      {
        title: 'dataset',
        text: ({ name, versions }) => (versions[0] ? `${name}@${versions[0].number}` : name),
      },
      { title: 'owner', text: ({ owner }) => owner },
      { title: 'for', text: ({ visibility }) => (visibility === 'shared' ? 'all' : 'its owner') },
      { title: 'files', text: (one) => newest(one, ({ files }) => String(files)), align: 'right' },
      { title: 'size', text: (one) => newest(one, ({ bytes }) => formatBytes(bytes)), align: 'right' },
      { title: 'about', text: ({ description }) => description.slice(0, 60) },
    ],
    datasets,
  );
}
