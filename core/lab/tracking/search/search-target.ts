/** What a filter can name. */
export type FieldGroup = 'attributes' | 'metrics' | 'params' | 'tags' | 'datasets';
export type FieldKind = 'number' | 'text';

export interface Attribute {
  readonly kind: FieldKind;
  /** Over the table of the target, which is called `r`. */
  readonly sql: string;
  /** Where the order is another one than that of `sql`. */
  readonly orderSql?: string;
}

/** Keys and values beside the target. */
export interface Related {
  readonly table: string;
  /** Its column that holds the target's number. */
  readonly owner: string;
  /** Restricts it and says which of several values of a key orders. */
  readonly order?: string;
}

export interface OrderTerm {
  readonly sql: string;
  readonly isDescending: boolean;
}

/** What can be searched: runs, experiments, logged models. All of its SQL is fixed text. */
export interface SearchTarget {
  readonly what: string;
  readonly table: string;
  /** The column of its number. */
  readonly number: string;
  /** By the names that stand before a dot. */
  readonly groups: Readonly<Record<string, FieldGroup>>;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly related: Readonly<Partial<Record<FieldGroup, Related>>>;
  /** After what was asked for; the last makes it unambiguous. */
  readonly defaultOrder: readonly OrderTerm[];
}

const METRICS = { metric: 'metrics', metrics: 'metrics' } as const;
const PARAMS = { param: 'params', params: 'params', parameter: 'params', parameters: 'params' } as const;
const TAGS = { tag: 'tags', tags: 'tags' } as const;
const ATTRIBUTES = { attribute: 'attributes', attributes: 'attributes', attr: 'attributes' } as const;
const DATASETS = { dataset: 'datasets', datasets: 'datasets' } as const;

const runName: Attribute = { kind: 'text', sql: 'r.name' };
const startTime: Attribute = { kind: 'number', sql: 'r.start_ms' };
/** MLflow takes these spellings too. */
const RUN_ALIASES = {
  'run name': runName,
  'Run name': runName,
  'Run Name': runName,
  created: startTime,
  Created: startTime,
};

export const RUN_TARGET: SearchTarget = {
  what: 'run',
  table: 'tracking_runs',
  number: 'number',
  groups: { ...METRICS, ...PARAMS, ...TAGS, ...ATTRIBUTES, run: 'attributes', ...DATASETS },
  attributes: {
    run_id: { kind: 'text', sql: 'r.run_id' },
    run_name: runName,
    status: { kind: 'text', sql: 'r.status' },
    user_id: { kind: 'text', sql: 'r.user_id' },
    artifact_uri: { kind: 'text', sql: 'r.artifact_uri' },
    start_time: startTime,
    end_time: { kind: 'number', sql: 'r.end_ms' },
    ...RUN_ALIASES,
  },
  related: {
    metrics: { table: 'tracking_metrics', owner: 'run' },
    params: { table: 'tracking_params', owner: 'run' },
    tags: { table: 'tracking_tags', owner: 'run' },
    datasets: { table: 'tracking_inputs i JOIN tracking_datasets d ON d.id = i.dataset', owner: 'i.run' },
  },
  defaultOrder: [
    { sql: 'r.start_ms', isDescending: true },
    { sql: 'r.run_id', isDescending: false },
  ],
};

export const EXPERIMENT_TARGET: SearchTarget = {
  what: 'experiment',
  table: 'tracking_experiments',
  number: 'id',
  groups: { ...TAGS, ...ATTRIBUTES },
  attributes: {
    name: { kind: 'text', sql: 'r.name' },
    experiment_id: { kind: 'text', sql: 'CAST(r.id AS TEXT)', orderSql: 'r.id' },
    creation_time: { kind: 'number', sql: 'r.created_ms' },
    last_update_time: { kind: 'number', sql: 'r.updated_ms' },
  },
  related: { tags: { table: 'tracking_experiment_tags', owner: 'experiment' } },
  defaultOrder: [
    { sql: 'r.created_ms', isDescending: true },
    { sql: 'r.id', isDescending: false },
  ],
};

const creationTime: Attribute = { kind: 'number', sql: 'r.created_ms' };
const updateTime: Attribute = { kind: 'number', sql: 'r.updated_ms' };

export const MODEL_TARGET: SearchTarget = {
  what: 'logged model',
  table: 'tracking_models',
  number: 'number',
  groups: { ...METRICS, ...PARAMS, ...TAGS, ...ATTRIBUTES },
  attributes: {
    name: { kind: 'text', sql: 'r.name' },
    model_id: { kind: 'text', sql: 'r.model_id' },
    model_type: { kind: 'text', sql: 'r.model_type' },
    status: { kind: 'text', sql: "replace(r.status, 'LOGGED_MODEL_', '')" },
    source_run_id: { kind: 'text', sql: 'r.source_run_id' },
    experiment_id: { kind: 'text', sql: 'CAST(r.experiment AS TEXT)', orderSql: 'r.experiment' },
    creation_time: creationTime,
    creation_timestamp: creationTime,
    creation_timestamp_ms: creationTime,
    last_updated_timestamp: updateTime,
    last_updated_timestamp_ms: updateTime,
  },
  related: {
    metrics: {
      table: 'tracking_model_metrics',
      owner: 'model',
      order: 'dataset_name, dataset_digest, run_id',
    },
    params: { table: 'tracking_model_params', owner: 'model' },
    tags: { table: 'tracking_model_tags', owner: 'model' },
  },
  defaultOrder: [
    { sql: 'r.created_ms', isDescending: true },
    { sql: 'r.number', isDescending: false },
  ],
};

/** Columns of datasets, and the tag that says what a run used one for. */
export const DATASET_FIELDS: Readonly<Record<string, string>> = {
  name: 'd.name',
  digest: 'd.digest',
  context: 'i.tags ->> \'$."mlflow.data.context"\'',
};
