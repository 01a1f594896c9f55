import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { seededRandom } from '../../../base';
import { sensorData } from './sensor-data';

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
