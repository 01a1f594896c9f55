import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import type { ArtifactStore } from '../../artifacts/artifact-store';
import type { Snapshots } from '../../datasets/snapshot/snapshots';
import { withoutHidden, type Manifest } from '../../datasets/tree/manifest';
import type { TreeStore } from '../../datasets/tree/tree-store';
import { quoteForShell } from '../../jobs/cluster/shell-quote';
import type { JobSpec } from '../../jobs/job-engine';
import { runCommand } from '../../runs/run-command';
import { RunFiles } from '../../runs/run-files';
import type { LabRun } from '../../runs/run-types';
import type { InferenceRequest } from '../submission-jobs';
import { formatOf } from './check-definition';
import { partBelow } from './dataset-parts';
import type { OtherUser } from './isolation';
import type { JobRooms } from './job-rooms';

interface InferenceSources {
  readonly snapshots: Snapshots;
  readonly artifacts: ArtifactStore;
  readonly trees: TreeStore;
  /** Of the competition's dataset, with hidden parts. */
  readonly manifest: Manifest;
  readonly run: LabRun;
  /** Where the run's artifacts are. */
  readonly artifactUri: string;
  readonly rooms: JobRooms;
  /** Whom the job runs as; undefined: the user of this process. */
  readonly user: OtherUser | undefined;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/** The file that predictions are expected in. */
export function predictionsFile(
  room: string,
  { competition }: Pick<InferenceRequest, 'competition'>,
): string {
  return join(room, 'out', `predictions.${formatOf(competition)}`);
}

/**
 * Lays out what a submission predicts with: code, checkpoint, test inputs, and nothing else.
 * @throws SluiceError `not-found` (no such checkpoint, no code), `corrupt-store`, `io`, `cancelled`.
 */
export async function layOutInference(
  { key, competition, runId, checkpoint: wanted, onlyIds }: InferenceRequest,
  sources: InferenceSources,
): Promise<JobSpec> {
  const { snapshots, artifacts, trees, run, artifactUri, rooms, user, logFile, signal } = sources;
  const files = new RunFiles(rooms.root, artifacts);
  const checkpoint = await files.checkpoint(artifactUri, wanted);
  if (checkpoint === undefined) throw noCheckpoint(run);
  const room = await rooms.make(key, 'out', 'tmp');
  const folder = join(room, 'work');
  await snapshots.restore(runId, folder, { signal });
  const checkpointFile = await files.layCheckpoint(key, artifactUri, checkpoint);
  const inputs = partBelow(withoutHidden(sources.manifest), competition.testPath);
  await trees.restore(inputs, join(room, 'data'), { signal });
  const { args, cpus, gpus, memoryBytes } = competition.inference;
  const temporary = join(room, 'tmp');
  const environment = {
    PYTHONUNBUFFERED: '1',
    ...run.environment,
    SLUICE_CHECKPOINT: checkpointFile,
    SLUICE_TEST: join(room, 'data', competition.testPath),
    SLUICE_PREDICTIONS: predictionsFile(room, { competition }),
    ...(onlyIds && { SLUICE_ONLY_IDS: JSON.stringify(onlyIds) }),
    TMPDIR: temporary,
    ...(user && { HOME: temporary, USER: 'nobody', LOGNAME: 'nobody' }),
  };
  const command = runCommand(run.entry, args);
  const resources = { cpus, gpus, memoryBytes };
  if (!user) return { command, folder, environment, resources, logFile };
  const starter = join(room, 'start.sh');
  await writeFile(starter, starterText(environment), { mode: 0o600 });
  await rooms.handOver(key, user);
  return {
    command: [...user.prefix, 'sh', starter, ...command],
    folder,
    environment: {},
    resources,
    logFile,
  };
}

/**
 * Sets the environment only when the user has been changed: a run's own may say what is loaded into every program
 * (LD_PRELOAD) and where programs are looked for, and until then that would be done as root.
 */
function starterText(environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quoteForShell(value)}`);
  return [...lines, 'exec "$@"', ''].join('\n');
}

function noCheckpoint({ name }: LabRun): SluiceError {
  return new SluiceError(
    'not-found',
    `${name} has no checkpoint: expected one of its artifacts below checkpoints/. Name another one with --checkpoint.`,
    { run: name },
  );
}
