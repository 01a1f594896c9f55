import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import type { Manifest } from '../../datasets/tree/manifest';
import type { TreeStore } from '../../datasets/tree/tree-store';
import type { JobSpec } from '../../jobs/job-engine';
import type { JobView } from '../../jobs/queue/job-ledger';
import type { EvaluationRequest } from '../submission-jobs';
import { hiddenPart } from './dataset-parts';
import { jobFault, lastLinesOf } from './job-outcome';
import { readWritten } from './written-file';

/** Of a score, or of what is said about predictions. */
const MOST_WORD_BYTES = 2_000;

/**
 * Lays out what a competition's own program scores with: the hidden parts, where it begins and may be itself, and the
 * predictions.
 * @param room empty but for `out`. @param manifest of the dataset, with hidden parts.
 */
export async function layOutEvaluation(
  { competition, command, predictions, onlyIds }: EvaluationRequest,
  room: string,
  trees: TreeStore,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<JobSpec> {
  const input = join(room, `predictions.${predictions.format}`);
  await writeFile(input, predictions.text);
  const folder = join(room, 'data');
  await trees.restore(hiddenPart(manifest), folder, { signal });
  const { cpus, memoryBytes } = competition.inference;
  return {
    command,
    folder,
    environment: {
      PYTHONUNBUFFERED: '1',
      SLUICE_PREDICTIONS: input,
      SLUICE_ANSWERS: join(folder, competition.hiddenPath),
      SLUICE_SCORE: join(room, 'out', 'score'),
      SLUICE_FAULT: join(room, 'out', 'fault'),
      ...(onlyIds && { SLUICE_ONLY_IDS: JSON.stringify(onlyIds) }),
    },
    resources: { cpus, gpus: 0, memoryBytes },
    // It may quote answers: it goes with the room.
    logFile: logIn(room),
  };
}

/**
 * What the program said.
 * @throws SluiceError `bad-input` with what it says of the predictions, others when it failed: not for users.
 */
export async function readScore(room: string, job: JobView): Promise<number> {
  const fault = await wordIn(room, 'fault');
  if (fault !== '') throw new SluiceError('bad-input', `The predictions can't be scored: ${fault}`);
  const failed = jobFault(job, await lastLinesOf(logIn(room)));
  if (failed) throw failed;
  const text = await wordIn(room, 'score');
  const score = Number(text);
  if (text !== '' && Number.isFinite(score)) return score;
  throw new SluiceError('runtime', `$SLUICE_SCORE: expected a number, found ${JSON.stringify(text)}.`);
}

async function wordIn(room: string, name: 'score' | 'fault'): Promise<string> {
  try {
    return ((await readWritten(join(room, 'out', name), name, MOST_WORD_BYTES)) ?? '').trim();
  } catch (cause) {
    // Not `bad-input`, which would be the submission's fault.
    throw new SluiceError('runtime', SluiceError.from(cause).message, {}, { cause });
  }
}

function logIn(room: string): string {
  return join(room, 'log.txt');
}
