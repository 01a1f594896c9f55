import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { z } from 'zod';

import { seededRandom, workerFile } from '../../../base';
import { SluiceError } from '../../../contract';
import { printedUrl } from '../../bench/printed-url';
import { sensorData } from './sensor-data';

const answerSchema = z.object({ outputs: z.tuple([z.object({ data: z.array(z.number()) })]) });
const aboutSchema = z.object({ classes: z.array(z.string()) });

/** An endpoint with a model, as a process. */
export interface ServedModel {
  /** Of its infer operation. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Imports a model into a library of its own and serves it.
 * @throws SluiceError `runtime` with what the commands said.
 */
export async function serveModel(folder: string, file: string, name: string): Promise<ServedModel> {
  const cli = workerFile('cli');
  const env = { ...process.env, SLUICE_DATA_DIR: folder };
  await promisify(execFile)(process.execPath, [cli, 'models', 'import', file, '--name', name], { env }).catch(
    (cause: unknown) => {
      throw new SluiceError('runtime', `${file} can't be imported: ${String(cause)}`, {}, { cause });
    },
  );
  const args = [cli, 'serve', '--tier', 'edge', '--port', '0', '--models', name, '--json'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = (): Promise<void> => {
    child.kill('SIGTERM');
    return ended;
  };
  try {
    const url = await printedUrl('serving', child);
    return { url: `${url}/v2/models/${name}/infer`, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** The test part of the example, as one who asks has it, and what is right. */
export interface TestRow {
  readonly id: string;
  readonly readings: readonly number[];
  readonly answer: string;
}

export function testRows(dataSeed: number): readonly TestRow[] {
  const data = sensorData(seededRandom(dataSeed));
  const rowsOf = (path: string): readonly (readonly string[])[] =>
    (data.get(path) ?? '')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
  const answers = new Map(rowsOf('hidden/state.csv').map(([id = '', answer = '']) => [id, answer]));
  return rowsOf('test/readings.csv').map(([id = '', ...cells]) => ({
    id,
    readings: cells.map(Number),
    answer: answers.get(id) ?? '',
  }));
}

/** Asks for one row, as a machine would. @returns probabilities, by class. */
export async function ask(
  { url }: ServedModel,
  { readings }: TestRow,
  signal: AbortSignal,
): Promise<number[]> {
  const input = { name: 'readings', datatype: 'FP32', shape: [1, readings.length], data: readings };
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ inputs: [input] }), signal });
  if (!answer.ok) throw new SluiceError('runtime', `${url}: ${answer.status} ${await answer.text()}`);
  return answerSchema.parse(await answer.json()).outputs[0].data;
}

/** What the classes of a model are, in its order. @param about `model/about.json` of its run. */
export function classesIn(about: Buffer): readonly string[] {
  return aboutSchema.parse(JSON.parse(about.toString('utf8'))).classes;
}

/**
 * What a program itself predicts for the test part, by id, run as for a submission.
 * @param programs its working folder. @param folder empty, for its files.
 */
export async function ownPredictions(
  programs: string,
  folder: string,
  checkpoint: Buffer,
  dataSeed: number,
): Promise<ReadonlyMap<string, string>> {
  const test = join(folder, 'test', 'readings.csv');
  const files = { checkpoint: join(folder, 'checkpoint.json'), predictions: join(folder, 'predictions.csv') };
  await mkdir(dirname(test), { recursive: true });
  await writeFile(test, sensorData(seededRandom(dataSeed)).get('test/readings.csv') ?? '');
  await writeFile(files.checkpoint, checkpoint);
  const env = {
    ...process.env,
    SLUICE_TEST: dirname(test),
    SLUICE_CHECKPOINT: files.checkpoint,
    SLUICE_PREDICTIONS: files.predictions,
  };
  await promisify(execFile)(process.execPath, ['state.mjs', '--predict'], { cwd: programs, env });
  const lines = (await readFile(files.predictions, 'utf8')).trim().split('\n').slice(1);
  return new Map(lines.map((line) => line.split(',') as [string, string]));
}
