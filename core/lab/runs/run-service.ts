import { SluiceError } from '../../contract';
import type { DatasetUser } from '../datasets/dataset-types';
import { parseDatasetRef } from '../datasets/dataset-types';
import type { LongWork } from '../datasets/tree/tree-store';
import { diffManifests } from '../datasets/tree/manifest-diff';
import { hasEnded } from '../jobs/job-state';
import { checkPlan, checkUser, definedOf } from './check-request';
import { differences, type RunDifference } from './run-diff';
import { checkEntry } from './run-command';
import { RunFiles } from './run-files';
import { RunLauncher } from './run-launcher';
import type { RunServiceOptions } from './run-service-options';
import { RunStatuses } from './run-statuses';
import { jobKey, LaunchedRuns, type RunQuery } from './run-store';
import {
  type ForkRequest,
  type HeldRequest,
  type LabRun,
  type LaunchRequest,
  type RunDataset,
  type RunParent,
} from './run-types';

const STOP_GRACE_MS = 10_000;

/**
 * Launches programs as runs `user/dataset/N`: packs their folder, lays out data, queues a job, and keeps MLflow's record
 * of the run in step with the job. All that a run was made from stays with it.
 */
export class RunService {
  private readonly launched: LaunchedRuns;
  private readonly files: RunFiles;
  private readonly launcher: RunLauncher;
  private readonly statuses: RunStatuses;

  constructor(private readonly options: RunServiceOptions) {
    const { database, artifacts, folder, queue, tracking, snapshots } = options;
    this.launched = new LaunchedRuns(database);
    this.files = new RunFiles(folder, artifacts);
    this.statuses = new RunStatuses(this.launched, queue, tracking, snapshots);
    this.launcher = new RunLauncher(options, this.launched, this.files, this.statuses);
    this.statuses.watch((run) => {
      if (hasEnded(run)) this.launcher.release(run);
    });
    for (const run of this.launched.inStage('preparing')) {
      // It may have ended between the two: then the job is there, and goes on.
      if (queue.get(jobKey(run))) this.launched.setStage(run.runId, 'queued', run.attempt);
      else this.launcher.break(run, 'The lab ended while this run was being prepared. Launch it again.');
    }
    this.statuses.begin();
  }

  /**
   * Packs the folder and queues the run; it is kept when this returns.
   * @throws SluiceError `bad-input` (all faults of the request), `not-found` (the dataset), `io`, `overloaded` (the
   * user's budget is used up), `cancelled`.
   */
  async launch(request: LaunchRequest, work: LongWork = {}): Promise<LabRun> {
    const { user, folder, dataset: reference, ...rest } = request;
    checkUser(user);
    const plan = checkPlan({ ...rest, entry: await checkEntry(folder, rest.entry) });
    const dataset = reference === undefined ? undefined : this.findDataset({ name: user }, reference);
    const run = this.launcher.create(user, plan, dataset, undefined);
    return this.launcher.start(run, work, async () => {
      await this.options.snapshots.take(folder, run.runId, work);
    });
  }

  /** A new run with the code of another, its data, and a checkpoint of it. @throws as `launch`, `not-found`. */
  async fork(request: ForkRequest, work: LongWork = {}): Promise<LabRun> {
    const { user, parent: reference, checkpoint: wanted, ...changes } = request;
    checkUser(user);
    const parent = this.launched.get(reference);
    const { dataset, parent: _grandparent, ...before } = parent.plan;
    const plan = checkPlan({ ...before, ...definedOf(changes) });
    const { artifactUri } = this.options.tracking.runs.get(parent.runId).info;
    const checkpoint = await this.files.checkpoint(artifactUri, wanted);
    const from: RunParent = {
      runId: parent.runId,
      name: parent.name,
      ...(checkpoint !== undefined && { checkpoint }),
    };
    const run = this.launcher.create(
      user,
      plan,
      dataset && this.findDataset({ name: user }, refOf(dataset)),
      from,
    );
    return this.launcher.start(run, work, () => {
      this.options.snapshots.share(parent.runId, run.runId);
      return Promise.resolve();
    });
  }

  /**
   * A run of code that another holder keeps. Its id is told of before the first `await`, so that whoever asks can
   * write it down first. @throws as `launch`.
   */
  async launchHeld(request: HeldRequest, work: LongWork = {}): Promise<LabRun> {
    const { user, dataset, code, from, tags, onCreated, ...rest } = request;
    checkUser(user);
    const plan = checkPlan(rest);
    const found = dataset === undefined ? undefined : this.findDataset({ name: user }, dataset);
    const run = this.launcher.create(user, plan, found, from, tags);
    onCreated(run.runId);
    return this.launcher.start(run, work, () => {
      this.options.snapshots.share(code, run.runId);
      return Promise.resolve();
    });
  }

  /**
   * Keeps the code of runs to come, and looks at what they will need.
   * @returns the program and the data as they are now. @throws as `launch`.
   */
  async hold(
    { user, folder, entry, dataset }: Pick<LaunchRequest, 'user' | 'folder' | 'entry' | 'dataset'>,
    holder: string,
  ): Promise<{ readonly entry: string; readonly dataset?: string }> {
    checkUser(user);
    const plain = await checkEntry(folder, entry);
    const found = dataset === undefined ? undefined : this.findDataset({ name: user }, dataset);
    await this.options.snapshots.take(folder, holder);
    return { entry: plain, ...(found && { dataset: refOf(found) }) };
  }

  /**
   * Keeps code that another holder keeps, for runs of a user.
   * @throws SluiceError `bad-input`, `not-found` (the code, or data that this user does not see).
   */
  holdToo({ user, dataset }: Pick<LaunchRequest, 'user' | 'dataset'>, from: string, holder: string): void {
    checkUser(user);
    if (dataset !== undefined) this.findDataset({ name: user }, dataset);
    this.options.snapshots.share(from, holder);
  }

  /** `NAME@VERSION` of what is laid out for runs on this machine, of the datasets that a user sees. */
  async laidOut(user: DatasetUser): Promise<readonly string[]> {
    const laidOut = new Set(await this.launcher.laidOut());
    return this.options.datasets
      .list(user)
      .flatMap(({ name, versions }) =>
        versions.filter(({ publicHash }) => laidOut.has(publicHash)).map(({ number }) => `${name}@${number}`),
      );
  }

  /** Removes laid out datasets of which no version is left, and no run that goes on. @returns bytes freed. */
  collectLaidOut(): Promise<number> {
    const { catalog } = this.options.datasets;
    return this.launcher.collect((hash) => catalog.hasPublic(hash));
  }

  letGo(holder: string): void {
    this.options.snapshots.drop(holder);
  }

  /** It could not be laid out, or the lab ended before it was: nothing of it ever ran. @throws SluiceError `not-found`. */
  isBroken(reference: string): boolean {
    return this.launched.get(reference).stage === 'broken';
  }

  /** What a run wrote at a step, to go on from; see `RunFiles.checkpointAt`. @throws SluiceError `not-found`, `io`. */
  async checkpointAt(reference: string, step: number): Promise<RunParent> {
    const { runId, name } = this.launched.get(reference);
    const { artifactUri } = this.options.tracking.runs.get(runId).info;
    const checkpoint = await this.files.checkpointAt(artifactUri, step);
    return { runId, name, ...(checkpoint !== undefined && { checkpoint }) };
  }

  /** @throws SluiceError `not-found`, `io`. */
  async removeCheckpoints(reference: string): Promise<void> {
    const { runId } = this.launched.get(reference);
    await this.files.removeCheckpoints(this.options.tracking.runs.get(runId).info.artifactUri);
  }

  /**
   * Runs a run that has ended once more, from its newest checkpoint; it goes on logging where it was.
   * @throws SluiceError `not-found`, `conflict` while it goes on, or when its folder was never packed.
   */
  async resume(reference: string, work: LongWork = {}): Promise<LabRun> {
    const run = this.launched.get(reference);
    const { state } = this.statuses.view(run);
    if (!hasEnded({ state })) {
      throw new SluiceError(
        'conflict',
        `${run.name} is ${state}; only a run that has ended can be resumed.`,
        {
          run: run.name,
        },
      );
    }
    if (!this.options.snapshots.of(run.runId)) {
      throw new SluiceError(
        'conflict',
        `${run.name} was never laid out: its folder was not packed. Launch it again.`,
        { run: run.name },
      );
    }
    const attempt = run.attempt + 1;
    this.launched.setStage(run.runId, 'preparing', attempt);
    return this.launcher.start({ ...run, attempt, stage: 'preparing' }, work, () => Promise.resolve());
  }

  /** Asks a run to end; nothing happens to one that has. @throws SluiceError `not-found`. */
  stop(reference: string, graceMs = STOP_GRACE_MS): LabRun {
    const run = this.launched.get(reference);
    if (run.stage === 'queued') this.options.queue.stop(jobKey(run), graceMs);
    return this.statuses.view(run);
  }

  /** Removes a run that has ended: its files and code; MLflow's record of it is marked as deleted. */
  async remove(reference: string): Promise<void> {
    const run = this.launched.get(reference);
    const { state } = this.statuses.view(run);
    if (!hasEnded({ state })) {
      throw new SluiceError(
        'conflict',
        `${run.name} is ${state}. Stop it first: sluice lab stop ${run.name}.`,
        {
          run: run.name,
        },
      );
    }
    this.options.tracking.runs.delete(run.runId);
    this.launched.delete(run.runId);
    this.options.snapshots.drop(run.runId);
    await this.files.remove(run.runId);
    for (let attempt = 1; attempt <= run.attempt; attempt += 1) {
      await this.options.queue.forget(jobKey({ ...run, attempt }));
    }
  }

  /** Whether a job is of a run that is kept. */
  hasJob(key: string): boolean {
    return this.launched.find(key.slice(0, key.lastIndexOf('-'))) !== undefined;
  }

  /** @throws SluiceError `not-found`. */
  get(reference: string): LabRun {
    return this.statuses.view(this.launched.get(reference));
  }

  /** Nothing for one that was removed, or never was. */
  find(reference: string): LabRun | undefined {
    const run = this.launched.find(reference);
    return run && this.statuses.view(run);
  }

  /** The newest first. */
  list(query: RunQuery): readonly LabRun[] {
    return this.launched.list(query).map((run) => this.statuses.view(run));
  }

  /** What differs from one run to another: arguments, data, environment, code. @throws SluiceError `not-found`. */
  async diff(from: string, to: string): Promise<readonly RunDifference[]> {
    const runs = [this.get(from), this.get(to)] as const;
    const { snapshots, datasets } = this.options;
    const [before, after] = runs.map(({ runId }) => snapshots.of(runId)?.hash);
    const isSameCode = before === undefined || after === undefined || before === after;
    const code = isSameCode
      ? undefined
      : diffManifests(await datasets.trees.manifest(before), await datasets.trees.manifest(after));
    return differences(...runs, code);
  }

  /** The file that a run's output goes to, and how long it is by now. @throws SluiceError `not-found`. */
  async log(reference: string): Promise<{ readonly file: string; readonly bytes: number }> {
    const { runId } = this.launched.get(reference);
    return { file: this.files.logFile(runId), bytes: await this.files.logBytes(runId) };
  }

  /** Calls back when a run has changed. @returns what ends it. */
  watch(onChange: (run: LabRun) => void): () => void {
    return this.statuses.watch(onChange);
  }

  close(): void {
    this.statuses.close();
  }

  private findDataset(user: DatasetUser, reference: string): RunDataset {
    const { name, version } = parseDatasetRef(reference);
    const { number, publicHash } = this.options.datasets.catalog.version(user, name, version);
    return { name, number, hash: publicHash };
  }
}

function refOf({ name, number }: RunDataset): string {
  return `${name}@${number}`;
}
