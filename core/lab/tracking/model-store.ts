import { SluiceError } from '../../contract';
import type { Clock, Random } from '../../base';
import type { LabDatabase } from '../store/lab-database';
import { checkModelName, checkTag } from './entity-limits';
import type { ExperimentStore } from './experiment-store';
import { compareBySteps, packPoints, PointView } from './points';
import {
  bytesOf,
  inExperiments,
  pairReader,
  pairsAsJson,
  rowReader,
  type PairReader,
  type RowReader,
} from './rows';
import { hexId } from './run-store';
import { search, type SearchQuery } from './search/search';
import { MODEL_TARGET } from './search/search-target';
import type { KeyValue, LoggedMetric, LoggedModel, ModelMetric, ModelStatus, Page } from './tracking-types';

const COLUMNS =
  'number, model_id, experiment, name, model_type, source_run_id, artifact_uri, status, created_ms, updated_ms';
type ModelRow = [
  number,
  string,
  number,
  string,
  string | null,
  string | null,
  string,
  ModelStatus,
  number,
  number,
];
type MetricRow = [number, string, string, string, string, string];

export interface NewModel {
  readonly experimentId: string;
  readonly name?: string | undefined;
  readonly modelType?: string | undefined;
  readonly sourceRunId?: string | undefined;
  readonly params?: readonly KeyValue[] | undefined;
  readonly tags?: readonly KeyValue[] | undefined;
}

export interface ModelQuery extends SearchQuery {
  readonly experimentIds: readonly string[];
}

/** Logged models: what MLflow 3 clients write beside a run's artifacts. Methods that change something are one transaction each. */
export class ModelStore {
  private readonly paramsOf: PairReader;
  private readonly tagsOf: PairReader;
  private readonly readMetrics: RowReader;

  constructor(
    private readonly database: LabDatabase,
    private readonly experiments: ExperimentStore,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    this.paramsOf = pairReader(database, 'tracking_model_params', 'model');
    this.tagsOf = pairReader(database, 'tracking_model_tags', 'model');
    this.readMetrics = rowReader(
      database,
      'json_array(model, key, dataset_name, dataset_digest, run_id, hex(latest))',
      'tracking_model_metrics',
      'model',
    );
  }

  /** It is pending until `finalize`. @throws SluiceError `not-found` (its experiment), `bad-input`. */
  create({ experimentId, name, modelType, sourceRunId, params = [], tags = [] }: NewModel): LoggedModel {
    if (name) checkModelName(name);
    tags.forEach((tag, index) => checkTag(tag, `tags[${index}]`));
    const modelId = `m-${hexId(this.random)}`;
    this.database.transaction(() => {
      const { artifactLocation } = this.experiments.active(experimentId);
      const nowMs = this.nowMs();
      const { lastInsertRowid } = this.database
        .prepare(
          'INSERT INTO tracking_models (model_id, experiment, name, model_type, source_run_id, artifact_uri, status, ' +
            "created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', ?, ?)",
        )
        .run([
          modelId,
          experimentId,
          name || `model-${modelId.slice(2, 10)}`,
          modelType ?? null,
          sourceRunId ?? null,
          `${artifactLocation}/models/${modelId}/artifacts`,
          nowMs,
          nowMs,
        ]);
      this.writePairs('tracking_model_params', Number(lastInsertRowid), params);
      this.writePairs('tracking_model_tags', Number(lastInsertRowid), tags);
    });
    return this.get(modelId);
  }

  /** @throws SluiceError `not-found`, also for a deleted one. */
  get(modelId: string, options: { readonly isDeletedToo?: boolean } = {}): LoggedModel {
    return this.byNumbers([this.numberOf(modelId, options.isDeletedToo ?? false)])[0]!;
  }

  /** @throws SluiceError `not-found`. */
  finalize(modelId: string, status: ModelStatus): LoggedModel {
    this.set(modelId, 'status = ?', [status]);
    return this.get(modelId);
  }

  /** @throws SluiceError `not-found`. */
  delete(modelId: string): void {
    this.set(modelId, 'is_deleted = ?', [1]);
  }

  /** @throws SluiceError `not-found`, `bad-input`. */
  setTags(modelId: string, tags: readonly KeyValue[]): LoggedModel {
    tags.forEach((tag, index) => checkTag(tag, `tags[${index}]`));
    this.database.transaction(() => {
      this.writePairs('tracking_model_tags', this.numberOf(modelId), tags);
    });
    return this.get(modelId);
  }

  /** @throws SluiceError `not-found`, also for a key it does not have. */
  deleteTag(modelId: string, key: string): LoggedModel {
    this.database.transaction(() => {
      const { changes } = this.database
        .prepare('DELETE FROM tracking_model_tags WHERE model = ? AND key = ?')
        .run([this.numberOf(modelId), key]);
      if (changes > 0) return;
      throw new SluiceError('not-found', `Model ${modelId} has no tag ${JSON.stringify(key)}.`);
    });
    return this.get(modelId);
  }

  /** @throws SluiceError `not-found`. */
  addParams(modelId: string, params: readonly KeyValue[]): void {
    this.database.transaction(() => {
      this.writePairs('tracking_model_params', this.numberOf(modelId), params);
    });
  }

  /** Inside the caller's transaction. @throws SluiceError `not-found` for a model that is not there. */
  addMetric(runId: string, metric: LoggedMetric & { readonly modelId: string }): void {
    const { modelId, key, datasetName = '', datasetDigest = '', value } = metric;
    const id = [this.numberOf(modelId), key, datasetName, datasetDigest, runId];
    const [row] = this.database
      .prepare(
        'SELECT latest FROM tracking_model_metrics ' +
          'WHERE model = ? AND key = ? AND dataset_name = ? AND dataset_digest = ? AND run_id = ?',
      )
      .raw()
      .all(id) as [Uint8Array | ArrayBuffer][];
    if (row && compareBySteps(new PointView(bytesOf(row[0])).at(0), metric) > 0) return;
    this.database
      .prepare('INSERT OR REPLACE INTO tracking_model_metrics VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run([...id, Number.isNaN(value) ? null : value, packPoints([metric])]);
  }

  /** Inside the caller's transaction or not. @throws SluiceError `not-found`. */
  numberOf(modelId: string, isDeletedToo = false): number {
    const [row] = this.database
      .prepare('SELECT number FROM tracking_models WHERE model_id = ? AND is_deleted <= ?')
      .raw()
      .all([modelId, Number(isDeletedToo)]) as [number][];
    if (row) return row[0];
    throw new SluiceError('not-found', `There is no logged model with the id ${JSON.stringify(modelId)}.`);
  }

  /** @throws SluiceError `bad-input` that says where in the filter or order. */
  search(query: ModelQuery): Page<LoggedModel> {
    const scope = [inExperiments(query.experimentIds), { sql: 'r.is_deleted = 0', args: [] }];
    const { numbers, ...rest } = search(this.database, MODEL_TARGET, scope, query);
    return { items: this.byNumbers(numbers), ...rest };
  }

  private byNumbers(numbers: readonly number[]): readonly LoggedModel[] {
    const rows = this.database
      .prepare(`SELECT ${COLUMNS} FROM tracking_models WHERE number IN (SELECT value FROM json_each(?))`)
      .raw()
      .all([JSON.stringify(numbers)]) as ModelRow[];
    const byNumber = new Map(rows.map((row) => [row[0], row]));
    const params = this.paramsOf(numbers);
    const tags = this.tagsOf(numbers);
    const metrics = this.metricsOf(numbers);
    return numbers.map((number) => ({
      ...modelOf(byNumber.get(number)!),
      params: params.get(number) ?? [],
      tags: tags.get(number) ?? [],
      metrics: metrics.get(number) ?? [],
    }));
  }

  private metricsOf(numbers: readonly number[]): ReadonlyMap<number, readonly ModelMetric[]> {
    const metrics = new Map<number, ModelMetric[]>();
    for (const [model, key, datasetName, datasetDigest, runId, latest] of this.readMetrics(
      numbers,
    ) as MetricRow[]) {
      const own = metrics.get(model) ?? [];
      metrics.set(model, own);
      own.push({
        key,
        runId,
        datasetName: datasetName || undefined,
        datasetDigest: datasetDigest || undefined,
        ...new PointView(Buffer.from(latest, 'hex')).at(0),
      });
    }
    return metrics;
  }

  private set(modelId: string, assignment: string, values: readonly (string | number)[]): void {
    this.database.transaction(() => {
      this.database
        .prepare(`UPDATE tracking_models SET ${assignment}, updated_ms = ? WHERE number = ?`)
        .run([...values, this.nowMs(), this.numberOf(modelId)]);
    });
  }

  /** The last of several values of a key counts. */
  private writePairs(
    table: 'tracking_model_params' | 'tracking_model_tags',
    model: number,
    pairs: readonly KeyValue[],
  ): void {
    this.database
      .prepare(
        `INSERT INTO ${table} SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true ` +
          'ON CONFLICT DO UPDATE SET value = excluded.value',
      )
      .run([model, pairsAsJson(pairs)]);
  }

  private nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }
}

function modelOf(row: ModelRow): Omit<LoggedModel, 'params' | 'tags' | 'metrics'> {
  const [, modelId, experiment, name, modelType, sourceRunId, artifactUri, status, createdMs, updatedMs] =
    row;
  return {
    modelId,
    experimentId: String(experiment),
    name,
    modelType: modelType ?? undefined,
    sourceRunId: sourceRunId ?? undefined,
    artifactUri,
    status,
    createdMs,
    updatedMs,
  };
}
