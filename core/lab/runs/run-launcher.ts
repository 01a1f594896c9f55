import { SluiceError } from '../../contract';
import { DatasetCache } from '../datasets/dataset-cache';
import type { LongWork } from '../datasets/tree/tree-store';
import { runCommand } from './run-command';
import { runEnvironment } from './run-environment';
import type { RunFiles } from './run-files';
import type { RunServiceOptions } from './run-service-options';
import type { RunStatuses } from './run-statuses';
import { jobKey, type LaunchedRuns, type StoredRun } from './run-store';
import {
  NO_DATASET,
  type HeldRequest,
  type LabRun,
  type RunDataset,
  type RunParent,
  type RunPlan,
} from './run-types';

const MOST_TAG_CHARACTERS = 5000;
/** MLflow's limit. */
const DIGEST_CHARACTERS = 36;

/** Makes runs and lays them out: their record, code, data and checkpoint, and at last their job. */
export class RunLauncher {
  private readonly cache: DatasetCache;

  constructor(
    private readonly options: RunServiceOptions,
    private readonly launched: LaunchedRuns,
    private readonly files: RunFiles,
    private readonly statuses: RunStatuses,
  ) {
    const { cacheFolder: folder, cacheBytes: maxBytes, datasets } = options;
    this.cache = new DatasetCache({ folder, trees: datasets.trees, maxBytes });
  }

  /** A run that is to be started; MLflow's clients see it from here on. */
  create(
    user: string,
    plan: RunPlan,
    dataset: RunDataset | undefined,
    parent: RunParent | undefined,
    ownTags: HeldRequest['tags'] = [],
  ): StoredRun {
    const { tracking, clock } = this.options;
    const about = dataset?.name ?? NO_DATASET;
    const name = `${user}/${about}/${this.launched.nextNumber(user, about)}`;
    const experimentId = this.experimentOf(about);
    const createdMs = clock.nowMs();
    const tags = [
      { key: 'mlflow.user', value: user },
      { key: 'mlflow.source.name', value: plan.entry },
      { key: 'mlflow.source.type', value: 'LOCAL' },
      { key: 'sluice.args', value: JSON.stringify(plan.args).slice(0, MOST_TAG_CHARACTERS) },
      ...(parent ? [{ key: 'mlflow.parentRunId', value: parent.runId }] : []),
      ...ownTags,
    ];
    const { info } = tracking.runs.create({
      experimentId,
      name,
      userId: user,
      startMs: Math.floor(createdMs),
      tags,
    });
    tracking.runs.update(info.runId, { status: 'SCHEDULED' });
    if (dataset) {
      const { hash, number } = dataset;
      const input = {
        name: dataset.name,
        digest: hash.slice(0, DIGEST_CHARACTERS),
        sourceType: 'sluice',
        source: `${dataset.name}@${number}`,
      };
      tracking.logInputs(info.runId, [{ dataset: input, tags: [] }]);
    }
    const run: StoredRun = {
      runId: info.runId,
      name,
      user,
      experimentId,
      stage: 'preparing',
      reason: undefined,
      attempt: 1,
      createdMs,
      plan: { ...plan, ...(dataset && { dataset }), ...(parent && { parent }) },
    };
    this.launched.insert(run);
    return run;
  }

  /**
   * Lays a run out and queues its job. What can't be laid out is broken, and stays to be seen.
   * @param pack keeps the code under the run's id.
   * @throws SluiceError `not-found`, `io`, `corrupt-store`, `overloaded`, `cancelled`, what `pack` throws.
   */
  async start(run: StoredRun, work: LongWork, pack: () => Promise<void>): Promise<LabRun> {
    const { queue, snapshots, address } = this.options;
    const { plan, runId } = run;
    try {
      await this.files.make(runId);
      await pack();
      const folder = this.files.workFolder(runId);
      if (!(await this.files.hasWork(runId))) await snapshots.restore(runId, folder, work);
      const places = {
        dataset: plan.dataset && (await this.layDataset(run, plan.dataset, work)),
        checkpoint: await this.checkpointFor(run),
      };
      queue.submit({
        key: jobKey(run),
        user: run.user,
        engine: plan.engine,
        priority: plan.priority,
        ...(plan.limitMs !== undefined && { limitMs: plan.limitMs }),
        spec: {
          command: runCommand(plan.entry, plan.args),
          folder,
          environment: runEnvironment(run, address(), places),
          resources: plan.resources,
          logFile: this.files.logFile(runId),
          ...(plan.image !== undefined && { image: plan.image }),
        },
      });
      this.launched.setStage(runId, 'queued', run.attempt);
      return this.statuses.changed(this.launched.get(runId));
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      this.break(run, error.message);
      throw error;
    }
  }

  /** What could not be let go of is held until the next run ends: it costs room only. */
  release(run: LabRun): void {
    if (run.dataset) void this.cache.release(jobKey(run)).catch(() => undefined);
  }

  /** Hashes of what datasets are laid out, hidden parts left out. */
  laidOut(): Promise<readonly string[]> {
    return this.cache.held();
  }

  /** Removes laid out datasets that no run holds. @param isNeeded by its hash. @returns bytes freed. */
  collect(isNeeded: (hash: string) => boolean): Promise<number> {
    return this.cache.collect(isNeeded);
  }

  break(run: StoredRun, reason: string): void {
    this.launched.setStage(run.runId, 'broken', run.attempt, reason);
    this.statuses.changed(this.launched.get(run.runId));
  }

  /** Shared with other runs, read-only, until the run has ended. */
  private async layDataset(run: StoredRun, { name, number }: RunDataset, work: LongWork): Promise<string> {
    const { datasets } = this.options;
    return datasets.use({ name: run.user }, name, String(number), {}, (manifest) =>
      this.cache.hold(manifest, jobKey(run), work),
    );
  }

  /** Of a fork the one it was given, of a resumed run its own newest. */
  private async checkpointFor({ runId, attempt, plan }: StoredRun): Promise<string | undefined> {
    const { runs } = this.options.tracking;
    if (attempt > 1) {
      const { artifactUri } = runs.get(runId).info;
      const own = await this.files.checkpoint(artifactUri);
      if (own !== undefined) return this.files.layCheckpoint(runId, artifactUri, own);
    }
    const { parent } = plan;
    if (parent?.checkpoint === undefined) return undefined;
    return this.files.layCheckpoint(runId, runs.get(parent.runId).info.artifactUri, parent.checkpoint);
  }

  private experimentOf(name: string): string {
    const { experiments } = this.options.tracking;
    try {
      return experiments.getByName(name).experimentId;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'not-found') throw error;
      return experiments.create(name);
    }
  }
}
