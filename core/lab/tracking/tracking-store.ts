import { SluiceError } from '../../contract';
import type { Clock, Random } from '../../base';
import type { LabDatabase } from '../store/lab-database';
import { checkBatch, checkDatasets } from './entity-limits';
import { ExperimentStore } from './experiment-store';
import { ModelStore } from './model-store';
import { MetricStore, type StepRange } from './metric-store';
import type { MetricPoint, PointView } from './points';
import { RunStore } from './run-store';
import type { DatasetInput, LoggedMetric, RunBatch } from './tracking-types';

export interface TrackingOptions {
  readonly clock: Clock;
  /** Of run ids: in a server, one that nobody can guess. */
  readonly random: Random;
  /** Where artifacts lie, as clients reach them: `mlflow-artifacts:/` for those the server keeps itself. */
  readonly artifactRoot: string;
}

export interface BatchOfRun extends RunBatch {
  readonly runId: string;
}

/** Experiments, runs and their metrics over the lab's database. Synchronous; what a method wrote is committed when it returns. */
export class TrackingStore {
  readonly experiments: ExperimentStore;
  readonly runs: RunStore;
  readonly models: ModelStore;
  private readonly metrics: MetricStore;
  private readonly listeners = new Set<(batch: BatchOfRun) => void>();

  constructor(
    private readonly database: LabDatabase,
    { clock, random, artifactRoot }: TrackingOptions,
  ) {
    this.metrics = new MetricStore(database);
    this.metrics.settle();
    this.experiments = new ExperimentStore(database, clock, artifactRoot);
    this.runs = new RunStore(database, this.experiments, this.metrics, random);
    this.models = new ModelStore(database, this.experiments, clock, random);
  }

  /**
   * Logs to a run, all or nothing. The same points and params again change nothing.
   * @throws SluiceError `not-found`, `bad-input` (over MLflow's limits, a param with another value, a deleted run).
   */
  logBatch(batch: BatchOfRun): void {
    const [failure] = this.logBatches([batch]);
    if (failure) throw failure;
  }

  /**
   * Logs many batches in one transaction, each of them all or nothing: one commit for all who wait.
   * @returns for each batch why it was refused, or undefined.
   */
  logBatches(batches: readonly BatchOfRun[]): readonly (SluiceError | undefined)[] {
    const results = this.database.transaction(() => batches.map((batch) => this.tryBatch(batch)));
    this.metrics.settleWhenLarge();
    if (this.listeners.size > 0) {
      for (const [index, batch] of batches.entries()) {
        if (!results[index]) for (const listener of this.listeners) listener(batch);
      }
    }
    return results;
  }

  /**
   * Logs to a run what `decide` gives, in one transaction with what it writes: all or nothing.
   * @throws SluiceError as `logBatch`, and what `decide` throws.
   */
  logDecided(decide: () => readonly BatchOfRun[]): void {
    const batches = this.database.transaction(() => {
      const decided = decide();
      for (const batch of decided) {
        const failure = this.tryBatch(batch);
        if (failure) throw failure;
      }
      return decided;
    });
    this.metrics.settleWhenLarge();
    for (const batch of batches) for (const listener of this.listeners) listener(batch);
  }

  /** Calls back with each batch that was logged, once it is committed; it must not throw. @returns what ends it. */
  watch(onLogged: (batch: BatchOfRun) => void): () => void {
    this.listeners.add(onLogged);
    return () => void this.listeners.delete(onLogged);
  }

  /** All points of a metric by time. @throws SluiceError `not-found`. */
  history(runId: string, key: string): PointView {
    return this.metrics.history(this.runs.numberOf(runId), key);
  }

  /** At most `most` points of a metric by step, the extremes among them. @throws SluiceError `not-found`. */
  sampledHistory(runId: string, key: string, most: number, steps?: StepRange): readonly MetricPoint[] {
    return this.metrics.sampled(this.runs.numberOf(runId), key, most, steps);
  }

  /** @throws SluiceError `not-found`, `bad-input`. */
  logInputs(runId: string, datasets: readonly DatasetInput[], modelIds: readonly string[] = []): void {
    checkDatasets(datasets);
    this.runs.addInputs(runId, datasets, modelIds);
  }

  /** What was logged to a deleted run is gone for good; its id and name stay. @throws SluiceError `not-found`. */
  purge(runId: string): void {
    const number = this.runs.numberOf(runId);
    this.metrics.settle();
    this.database.transaction(() => {
      this.metrics.remove(number);
      this.runs.forget(number);
    });
  }

  /** Brings metrics to where the next start finds them at once. To be called before the database is closed. */
  settle(): void {
    this.metrics.settle();
  }

  private tryBatch(batch: BatchOfRun): SluiceError | undefined {
    const { runId, metrics, params, tags } = batch;
    try {
      checkBatch(batch);
      const number = this.runs.activeNumberOf(runId);
      // First what can be refused: all that follows it succeeds, so that nothing has to be taken back.
      const ofModels = metrics.filter(isOfModel);
      for (const { modelId } of ofModels) this.models.numberOf(modelId);
      this.runs.params.write(number, runId, params);
      this.runs.tags.write(number, tags);
      this.metrics.append(number, metrics);
      for (const metric of ofModels) this.models.addMetric(runId, metric);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof SluiceError) return thrown;
      throw thrown;
    }
  }
}

function isOfModel(metric: LoggedMetric): metric is LoggedMetric & { readonly modelId: string } {
  return metric.modelId !== undefined;
}
