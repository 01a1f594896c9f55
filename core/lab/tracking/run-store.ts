import { SluiceError } from '../../contract';
import type { Random } from '../../base';
import type { LabDatabase } from '../store/lab-database';
import { badInput, checkTag } from './entity-limits';
import type { ExperimentStore } from './experiment-store';
import type { MetricStore } from './metric-store';
import { RunModels } from './run-models';
import { RunParams } from './run-params';
import { NAME_TAG, RunTags } from './run-tags';
import { search, type SearchQuery } from './search/search';
import { RUN_TARGET } from './search/search-target';
import { inExperiments, inView, stageOf } from './rows';
import { DatasetStore } from './dataset-store';
import type {
  DatasetInput,
  KeyValue,
  Metric,
  ModelOutput,
  Run,
  RunInfo,
  RunStatus,
  ViewType,
  Page,
} from './tracking-types';

const RUN_COLUMNS =
  'number, run_id, name, experiment, user_id, status, start_ms, end_ms, artifact_uri, is_deleted';
type RunRow = [
  number,
  string,
  string,
  number,
  string,
  RunStatus,
  number | null,
  number | null,
  string,
  number,
];
const USER_TAG = 'mlflow.user';

export interface NewRun {
  /** Of a run that another lab made; absent: a new one. */
  readonly runId?: string;
  readonly experimentId: string;
  readonly name?: string | undefined;
  readonly userId?: string | undefined;
  readonly startMs?: number | undefined;
  readonly tags?: readonly KeyValue[] | undefined;
}

export interface RunChange {
  readonly status?: RunStatus | undefined;
  readonly endMs?: number | undefined;
  readonly name?: string | undefined;
}

export interface RunQuery extends SearchQuery {
  readonly experimentIds: readonly string[];
  readonly viewType?: ViewType | undefined;
}

export interface LoggedByRun {
  readonly params: ReadonlyMap<number, readonly KeyValue[]>;
  readonly tags: ReadonlyMap<number, readonly KeyValue[]>;
  readonly metrics: ReadonlyMap<number, readonly Metric[]>;
}

/** Runs with their params, tags, datasets and models. Methods that change something are one transaction each. */
export class RunStore {
  readonly params: RunParams;
  readonly tags: RunTags;
  private readonly datasets: DatasetStore;
  private readonly models: RunModels;
  private readonly find;

  constructor(
    private readonly database: LabDatabase,
    private readonly experiments: ExperimentStore,
    private readonly metrics: MetricStore,
    private readonly random: Random,
  ) {
    this.params = new RunParams(database);
    this.tags = new RunTags(database);
    this.datasets = new DatasetStore(database);
    this.models = new RunModels(database);
    this.find = database
      .prepare('SELECT number, is_deleted, experiment FROM tracking_runs WHERE run_id = ?')
      .raw();
  }

  /** Starts a run. @throws SluiceError `not-found` (its experiment), `bad-input`. */
  create({ experimentId, name, userId, startMs, tags = [], ...given }: NewRun): Run {
    tags.forEach((tag, index) => checkTag(tag, `tags[${index}]`));
    const tagged = tags.find(({ key }) => key === NAME_TAG)?.value;
    if (name && tagged && name !== tagged) {
      throw badInput(
        `run_name is "${name}" and the tag ${NAME_TAG} is "${tagged}". Give one, or both the same.`,
      );
    }
    const { runId = hexId(this.random) } = given;
    const runName = name || tagged || `run-${runId.slice(0, 8)}`;
    const user = userId || tags.find(({ key }) => key === USER_TAG)?.value || '';
    const number = this.database.transaction(() => {
      const { artifactLocation } = this.experiments.active(experimentId);
      const { lastInsertRowid } = this.database
        .prepare(
          'INSERT INTO tracking_runs (run_id, experiment, name, user_id, status, start_ms, artifact_uri) ' +
            "VALUES (?, ?, ?, ?, 'RUNNING', ?, ?)",
        )
        .run([runId, experimentId, runName, user, startMs ?? null, `${artifactLocation}/${runId}/artifacts`]);
      const inserted = Number(lastInsertRowid);
      this.tags.write(inserted, [...tags, { key: NAME_TAG, value: runName }]);
      return inserted;
    });
    return this.byNumbers([number])[0]!;
  }

  /** Deleted ones too. @throws SluiceError `not-found`. */
  get(runId: string): Run {
    const number = this.numberOf(runId);
    this.metrics.settle();
    return this.byNumbers([number])[0]!;
  }

  /** @throws SluiceError `not-found`, `bad-input` for a deleted run. */
  update(runId: string, { status, endMs, name }: RunChange): RunInfo {
    return this.database.transaction(() => {
      const number = this.activeNumberOf(runId);
      this.database
        .prepare(
          'UPDATE tracking_runs SET status = coalesce(?, status), end_ms = coalesce(?, end_ms) WHERE number = ?',
        )
        .run([status ?? null, endMs ?? null, number]);
      if (name) this.tags.write(number, [{ key: NAME_TAG, value: name }]);
      return this.infosOf([number]).get(number)!;
    });
  }

  /** Marks it as deleted. @throws SluiceError `not-found`. */
  delete(runId: string): void {
    this.mark(runId, 1);
  }

  /** @throws SluiceError `not-found`. */
  restore(runId: string): void {
    this.mark(runId, 0);
  }

  /** @throws SluiceError `not-found`, also for a key the run does not have; `bad-input` for a deleted run. */
  deleteTag(runId: string, key: string): void {
    this.database.transaction(() => {
      if (this.tags.delete(this.activeNumberOf(runId), key)) return;
      throw new SluiceError('not-found', `Run ${runId} has no tag ${JSON.stringify(key)}.`);
    });
  }

  /** What the run read; a dataset that is there already is not added again. @throws SluiceError `not-found`, `bad-input`. */
  addInputs(runId: string, datasets: readonly DatasetInput[], modelIds: readonly string[]): void {
    this.database.transaction(() => {
      const number = this.activeNumberOf(runId);
      const [[, , experiment]] = this.find.all([runId]) as [[number, number, number]];
      this.datasets.add(number, experiment, datasets);
      this.models.addInputs(number, modelIds);
    });
  }

  /** Models the run made. @throws SluiceError `not-found`, `bad-input`. */
  addOutputs(runId: string, outputs: readonly ModelOutput[]): void {
    this.database.transaction(() => this.models.addOutputs(this.activeNumberOf(runId), outputs));
  }

  /** To the list that MLflow 2 clients keep in a tag. @param model a JSON object. @throws SluiceError `not-found`, `bad-input`. */
  addModelRecord(runId: string, model: object): void {
    this.database.transaction(() => this.tags.addModelRecord(this.activeNumberOf(runId), model));
  }

  /** All but its id and name. Inside the caller's transaction. */
  forget(number: number): void {
    for (const table of ['params', 'tags', 'inputs', 'run_models']) {
      this.database.prepare(`DELETE FROM tracking_${table} WHERE run = ?`).run(number);
    }
  }

  /** Inside the caller's transaction. @throws SluiceError `not-found`, `bad-input` for a deleted run. */
  activeNumberOf(runId: string): number {
    const [number, isDeleted] = this.rowOf(runId);
    if (isDeleted === 0) return number;
    throw badInput(`Run ${runId} is deleted: expected an active one. Restore it first.`);
  }

  /** @throws SluiceError `not-found`. */
  numberOf(runId: string): number {
    return this.rowOf(runId)[0];
  }

  /**
   * Those of some experiments that a filter describes, the last started first if not ordered otherwise.
   * @throws SluiceError `bad-input` that says where in the filter or order.
   */
  search(query: RunQuery): Page<Run> {
    const { experimentIds, viewType = 'ACTIVE_ONLY' } = query;
    this.metrics.settle();
    const scope = [inExperiments(experimentIds), inView(viewType)];
    const { numbers, ...rest } = search(this.database, RUN_TARGET, scope, query);
    return { items: this.byNumbers(numbers), ...rest };
  }

  /** Params, tags and the last metrics of runs, by their numbers. Metrics as they were settled last. */
  loggedTo(numbers: readonly number[]): LoggedByRun {
    return {
      params: this.params.of(numbers),
      tags: this.tags.of(numbers),
      metrics: this.metrics.latestOf(numbers),
    };
  }

  /** In the order of the numbers. Metrics as they were settled last. */
  byNumbers(numbers: readonly number[]): readonly Run[] {
    const infos = this.infosOf(numbers);
    const { params, tags, metrics } = this.loggedTo(numbers);
    const datasets = this.datasets.of(numbers);
    const models = this.models.of(numbers);
    return numbers.flatMap((number) => {
      const info = infos.get(number);
      if (!info) return [];
      return {
        info,
        metrics: metrics.get(number) ?? [],
        params: params.get(number) ?? [],
        tags: tags.get(number) ?? [],
        datasets: datasets.get(number) ?? [],
        modelInputs: models.get(number)?.inputs ?? [],
        modelOutputs: models.get(number)?.outputs ?? [],
      };
    });
  }

  private infosOf(numbers: readonly number[]): ReadonlyMap<number, RunInfo> {
    const rows = this.database
      .prepare(
        `SELECT json_group_array(json_array(${RUN_COLUMNS})) FROM tracking_runs ` +
          'WHERE number IN (SELECT value FROM json_each(?))',
      )
      .raw()
      .all([JSON.stringify(numbers)]) as [[string]];
    return new Map((JSON.parse(rows[0][0]) as RunRow[]).map((row) => [row[0], infoOf(row)]));
  }

  private rowOf(runId: string): [number, number, number] {
    const [row] = this.find.all([runId]) as [number, number, number][];
    if (row) return row;
    throw new SluiceError('not-found', `There is no run with the id ${JSON.stringify(runId)}.`);
  }

  private mark(runId: string, isDeleted: 0 | 1): void {
    this.database.transaction(() => {
      const number = this.numberOf(runId);
      this.database
        .prepare('UPDATE tracking_runs SET is_deleted = ? WHERE number = ?')
        .run([isDeleted, number]);
    });
  }
}

/** 32 hexadecimal digits. */
export function hexId(random: Random): string {
  const part = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return part() + part() + part() + part();
}

function infoOf(row: RunRow): RunInfo {
  const [, runId, name, experiment, userId, status, startMs, endMs, artifactUri, isDeleted] = row;
  return {
    runId,
    name,
    experimentId: String(experiment),
    userId,
    status,
    startMs: startMs ?? undefined,
    endMs: endMs ?? undefined,
    artifactUri,
    lifecycleStage: stageOf(isDeleted),
  };
}
