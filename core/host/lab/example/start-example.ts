import { randomUUID } from 'node:crypto';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { seededRandom } from '../../../base';
import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';
import { runSchema, type ShownRun } from '../shown-run';
import { datasetClientOf } from '../requests/dataset-client';
import type { LabApi } from '../connection/lab-api';
import { exampleCompetitions } from './competitions';
import { sensorData } from './sensor-data';

export interface ExampleOptions {
  readonly api: LabApi;
  readonly appRoot: string;
  readonly dataDir: string;
  readonly signal?: AbortSignal | undefined;
}

export const EXAMPLE_DATASET = 'edge-box';
export const EXAMPLE_RESOURCES = { cpus: 1, gpus: 0, memoryBytes: 2 ** 29 };
export const DATA_SEED = 2026;
const PROGRAMS = 'core/host/lab/example/programs';
/** Slow enough to watch its curve. */
const FIRST_ARGS = ['--hidden', '8', '--lr', '0.002', '--epochs', '60', '--pace', '100'];

/**
 * Lays out what is not there yet of the shipped example: its programs as a working folder to change, its dataset, and
 * competitions.
 * @returns the working folder. @throws SluiceError `io`, `conflict` when others have the names, what the lab answers.
 */
export async function layOutExample(options: ExampleOptions): Promise<string> {
  const { api, appRoot, dataDir, signal } = options;
  const folder = join(dataDir, 'lab-example');
  try {
    await cp(join(appRoot, PROGRAMS), folder, { recursive: true, force: false });
  } catch (cause) {
    throw ioError(`Can't write the example to ${folder}`, cause);
  }
  if (await isAbsent(api.get(`datasets/${EXAMPLE_DATASET}`, z.looseObject({}), signal))) {
    await pushDataset(options);
  }
  for (const definition of exampleCompetitions(EXAMPLE_DATASET)) {
    const path = `competitions/${definition.name}`;
    if (!(await isAbsent(api.get(path, z.looseObject({}), signal)))) continue;
    await api.send('POST', 'competitions', definition, z.looseObject({}), signal);
  }
  return folder;
}

/** Lays out the example, and launches a first run of it. @throws SluiceError as `layOutExample`. */
export async function startExample(options: ExampleOptions): Promise<ShownRun> {
  const folder = await layOutExample(options);
  const { api, signal } = options;
  return api.send('POST', 'runs', exampleRun(folder, 'state.mjs', FIRST_ARGS), runSchema, signal);
}

/** What `POST runs` takes. */
export function exampleRun(folder: string, entry: string, args: readonly string[]): object {
  return {
    folder,
    entry,
    args,
    dataset: EXAMPLE_DATASET,
    environment: {},
    resources: EXAMPLE_RESOURCES,
    engine: 'local',
    priority: 0,
  };
}

/** The folder it is pushed from goes again: it has the answers. */
async function pushDataset({ api, dataDir, signal }: ExampleOptions): Promise<void> {
  const folder = join(dataDir, `lab-example-data-${randomUUID()}`);
  const client = await datasetClientOf(api);
  try {
    await mkdir(folder, { mode: 0o700 });
    for (const [path, text] of sensorData(seededRandom(DATA_SEED))) {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    await client.push(EXAMPLE_DATASET, folder, { hidden: ['hidden/'], note: "Sluice's example", signal });
    await client.edit(EXAMPLE_DATASET, {
      visibility: 'shared',
      description: 'Readings of machines and the logs of the box beside them; made, not measured.',
    });
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function isAbsent(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return false;
  } catch (cause) {
    if (cause instanceof SluiceError && cause.code === 'not-found') return true;
    throw cause;
  }
}
