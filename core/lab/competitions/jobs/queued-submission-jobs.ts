import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { SluiceError } from '../../../contract';
import { ioError, writeFileAtomic } from '../../../storage';
import type { ArtifactStore } from '../../artifacts/artifact-store';
import type { Datasets } from '../../datasets/datasets';
import type { Snapshots } from '../../datasets/snapshot/snapshots';
import type { Manifest } from '../../datasets/tree/manifest';
import type { JobSpec } from '../../jobs/job-engine';
import { hasEnded } from '../../jobs/job-state';
import type { JobView } from '../../jobs/queue/job-ledger';
import type { JobQueue } from '../../jobs/queue/job-queue';
import type { LabRun } from '../../runs/run-types';
import { namesIn, removePath } from '../../store/remove-path';
import type { Competition } from '../competition-store';
import type { CompetitionDefinition } from '../definition';
import type { TableText } from '../prediction-table';
import type { EvaluationRequest, InferenceRequest, SubmissionJobs } from '../submission-jobs';
import { checkDefinition, formatOf } from './check-definition';
import { readText } from './dataset-parts';
import { layOutEvaluation, readScore } from './evaluation-job';
import { layOutInference, predictionsFile } from './inference-job';
import { Isolation, type OtherUser } from './isolation';
import { jobFault, lastLinesOf } from './job-outcome';
import { JobRooms } from './job-rooms';
import { Turns, type JobKind } from './turns';
import { readWritten } from './written-file';

export interface QueuedSubmissionJobsOptions {
  readonly datasets: Datasets;
  readonly snapshots: Snapshots;
  readonly artifacts: ArtifactStore;
  readonly queue: JobQueue;
  /** Of what submissions leave: logs, predictions, scores. */
  readonly folder: string;
  /** @throws SluiceError `not-found`. */
  readonly runOf: (runId: string) => LabRun;
  /** Where a run's artifacts are. @throws SluiceError `not-found`. */
  readonly artifactUriOf: (runId: string) => string;
}

const MOST_PREDICTION_BYTES = 256 * 2 ** 20;
/** Hidden parts are laid out on the lab's own machine alone, and so is what must not see them. */
const ENGINE = 'local';
const KEPT_FOLDER = /^submission-(\d+)$/;
const JOB_KEY = /^submission-\d+(-score)?$/;

interface Step<T> {
  readonly key: string;
  readonly kind: JobKind;
  /** Who is charged. */
  readonly charged: string;
  readonly limitMinutes: number;
  readonly rooms: JobRooms;
  /** It can run beside jobs of the other kind. */
  readonly isApart: boolean;
  readonly layOut: () => Promise<JobSpec>;
  readonly collect: (job: JobView) => Promise<T>;
}

/**
 * Inference and evaluation as jobs of the queue. What came of each is kept by its key, and a job that was queued before a
 * restart is waited for. Inference runs as a user of its own, without network, where this process is root's; otherwise
 * hidden parts are not laid out while one runs, but a program that knows this store can read them in it.
 */
export class QueuedSubmissionJobs implements SubmissionJobs {
  private readonly turns = new Turns();
  private readonly closing = new AbortController();
  private readonly inner: JobRooms;
  private readonly outer: JobRooms;
  private isolation: Promise<Isolation | undefined> | undefined;

  constructor(private readonly options: QueuedSubmissionJobsOptions) {
    const { folder, queue } = options;
    this.inner = JobRooms.within(folder);
    this.outer = JobRooms.outside(folder);
    for (const { key } of queue.open()) {
      const [isOurs, score] = JOB_KEY.exec(key) ?? [];
      if (isOurs !== undefined) this.turns.retake(key, score === undefined ? 'inference' : 'evaluation');
    }
  }

  check(definition: CompetitionDefinition, owner: string): Promise<CompetitionDefinition> {
    return checkDefinition(this.options.datasets, definition, owner);
  }

  async readAnswers(competition: Competition): Promise<TableText> {
    const { trees } = this.options.datasets;
    const text = await this.withDataset(competition, (manifest) =>
      readText(trees, manifest, competition.hiddenPath),
    );
    return { format: formatOf(competition), text };
  }

  async infer(request: InferenceRequest): Promise<TableText> {
    const { key, competition } = request;
    const format = formatOf(competition);
    const kept = join(this.options.folder, key, `predictions.${format}`);
    const known = await textOf(kept);
    if (known !== undefined) return { format, text: known };
    const user = await this.userFor(key);
    const rooms = user ? this.outer : this.inner;
    return this.once({
      key,
      kind: 'inference',
      charged: request.user,
      limitMinutes: competition.inference.limitMinutes,
      rooms,
      isApart: user !== undefined,
      layOut: () => this.layOut(request, rooms, user),
      collect: async (job) => {
        const fault = jobFault(job, await lastLinesOf(this.logFile(key)));
        if (fault) throw fault;
        const file = predictionsFile(rooms.of(key), request);
        const text = await readWritten(file, '$SLUICE_PREDICTIONS', MOST_PREDICTION_BYTES, user?.id);
        if (text === undefined) throw noPredictions(competition);
        await keep(kept, text);
        return { format, text };
      },
    });
  }

  async evaluate(request: EvaluationRequest): Promise<number> {
    const { competition } = request;
    const key = `${request.key}-score`;
    const kept = join(this.options.folder, request.key, 'score');
    const known = await textOf(kept);
    if (known !== undefined) return Number(known);
    const rooms = this.inner;
    return this.once({
      key,
      kind: 'evaluation',
      charged: competition.owner,
      limitMinutes: competition.inference.limitMinutes,
      rooms,
      isApart: (await this.userFor(request.key)) !== undefined,
      layOut: () =>
        this.withDataset(competition, async (manifest) => {
          const room = await rooms.make(key, 'out');
          return layOutEvaluation(request, room, this.options.datasets.trees, manifest, this.closing.signal);
        }),
      collect: async (job) => {
        const score = await readScore(rooms.of(key), job);
        await keep(kept, String(score));
        return score;
      },
    });
  }

  async kept(): Promise<readonly number[]> {
    const names = await namesIn(this.options.folder);
    return names.flatMap((name) => {
      const [, id] = KEPT_FOLDER.exec(name) ?? [];
      return id === undefined ? [] : [Number(id)];
    });
  }

  async clear(key: string, what: 'predictions' | 'all'): Promise<number> {
    const folder = join(this.options.folder, key);
    if (what === 'predictions') {
      const names = await namesIn(folder);
      const files = names.filter((name) => name.startsWith('predictions.'));
      const sizes = await Promise.all(files.map((name) => removePath(join(folder, name))));
      return sizes.reduce((sum, bytes) => sum + bytes, 0);
    }
    const jobs = [key, `${key}-score`].map((job) => this.options.queue.forget(job));
    const [ofJob, ofScore] = (await Promise.all(jobs)) as [number, number];
    return ofJob + ofScore + (await removePath(folder));
  }

  /** Jobs go on; what waits for them is told that it was cancelled. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.outer.close();
  }

  /** Queues a job unless it was before, waits for its end, and clears away. */
  private async once<T>(step: Step<T>): Promise<T> {
    const { key, kind, rooms, isApart, collect } = step;
    if (!isApart) await this.orClosed(this.turns.enter(key, kind));
    try {
      if (!this.options.queue.get(key)) await this.submit(step);
      const job = await this.orClosed(this.ended(key));
      try {
        return await collect(job);
      } finally {
        await rooms.remove(key);
      }
    } finally {
      this.turns.leave(key);
    }
  }

  private async submit<T>({ key, charged, limitMinutes, rooms, layOut }: Step<T>): Promise<void> {
    try {
      const spec = await layOut();
      this.closing.signal.throwIfAborted();
      this.options.queue.submit({ key, user: charged, engine: ENGINE, limitMs: limitMinutes * 60_000, spec });
    } catch (cause) {
      await rooms.remove(key);
      throw cause;
    }
  }

  private ended(key: string): Promise<JobView> {
    const { queue } = this.options;
    return new Promise((resolve) => {
      const look = (): void => {
        const job = queue.get(key);
        if (!job || !hasEnded(job)) return;
        unwatch();
        resolve(job);
      };
      const unwatch = queue.watch((changed) => {
        if (changed === key) look();
      });
      look();
    });
  }

  private orClosed<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.closing;
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(new SluiceError('cancelled', 'The lab closes.'));
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop);
      void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  private async layOut(
    request: InferenceRequest,
    rooms: JobRooms,
    user: OtherUser | undefined,
  ): Promise<JobSpec> {
    const { snapshots, artifacts, datasets, runOf, artifactUriOf } = this.options;
    const { runId, competition, key } = request;
    const run = runOf(runId);
    return this.withDataset(competition, (manifest) =>
      layOutInference(request, {
        snapshots,
        artifacts,
        trees: datasets.trees,
        manifest,
        run,
        artifactUri: artifactUriOf(runId),
        rooms,
        user,
        logFile: this.logFile(key),
        signal: this.closing.signal,
      }),
    );
  }

  /**
   * Reads from a competition's dataset, with hidden parts: what the work is given is not to be handed on as it is.
   * @throws SluiceError `unavailable` when it can't be read, what the work throws.
   */
  private async withDataset<T>(
    { dataset, owner }: Competition,
    work: (manifest: Manifest) => Promise<T>,
  ): Promise<T> {
    const { name, version } = dataset;
    let isRead = false;
    try {
      const user = { name: owner, isEvaluator: true };
      return await this.options.datasets.use(user, name, version, { withHidden: true }, (manifest) => {
        isRead = true;
        return work(manifest);
      });
    } catch (cause) {
      if (isRead) throw cause;
      const message = `The dataset ${name}@${version} of this competition can't be read. Tell whoever created it.`;
      throw new SluiceError('unavailable', message, {}, { cause });
    }
  }

  private async userFor(key: string): Promise<OtherUser | undefined> {
    this.isolation ??= Isolation.find();
    return (await this.isolation)?.userFor(Number(/\d+/.exec(key)?.[0] ?? 0));
  }

  private logFile(key: string): string {
    return join(this.options.folder, key, 'log.txt');
  }
}

async function keep(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, text);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't read ${file}`, cause);
  }
}

function noPredictions({ inference }: CompetitionDefinition): SluiceError {
  return new SluiceError(
    'runtime',
    `The program ended well and wrote nothing to $SLUICE_PREDICTIONS. With the arguments "${inference.args.join(' ')}" ` +
      'it is to predict for the files in $SLUICE_TEST.',
  );
}
