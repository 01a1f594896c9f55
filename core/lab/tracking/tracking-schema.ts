import type { AreaSchema } from '../store/lab-database';

const FIRST = `
  CREATE TABLE tracking_experiments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    artifact_location TEXT NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE tracking_experiment_tags (
    experiment INTEGER NOT NULL REFERENCES tracking_experiments,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE tracking_runs (
    number INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES tracking_experiments,
    name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    start_ms INTEGER,
    end_ms INTEGER,
    artifact_uri TEXT NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX tracking_runs_by_start ON tracking_runs (experiment, is_deleted, start_ms);
  CREATE TABLE tracking_params (
    run INTEGER NOT NULL REFERENCES tracking_runs,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE tracking_tags (
    run INTEGER NOT NULL REFERENCES tracking_runs,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
  ) STRICT, WITHOUT ROWID;

  -- A metric of a run: its latest point, packed and (for searches; NULL is NaN) its value alone.
  CREATE TABLE tracking_metrics (
    run INTEGER NOT NULL REFERENCES tracking_runs,
    key TEXT NOT NULL,
    series INTEGER NOT NULL,
    value REAL,
    latest BLOB NOT NULL,
    PRIMARY KEY (run, key)
  ) STRICT, WITHOUT ROWID;
  -- Points of one metric, packed, in the order they came.
  CREATE TABLE tracking_blocks (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    points BLOB NOT NULL
  ) STRICT;
  CREATE INDEX tracking_blocks_by_series ON tracking_blocks (series, id);
  -- What was acknowledged and is not in its blocks yet: the keys with their numbers of points, in
  -- order, as JSON: [[key, points], ...].
  CREATE TABLE tracking_journal (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    keys TEXT NOT NULL,
    points BLOB NOT NULL
  ) STRICT;

  CREATE TABLE tracking_datasets (
    id INTEGER PRIMARY KEY,
    experiment INTEGER NOT NULL REFERENCES tracking_experiments,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    source_type TEXT NOT NULL,
    source TEXT NOT NULL,
    schema TEXT,
    profile TEXT,
    UNIQUE (experiment, name, digest)
  ) STRICT;
  CREATE TABLE tracking_inputs (
    run INTEGER NOT NULL REFERENCES tracking_runs,
    dataset INTEGER NOT NULL REFERENCES tracking_datasets,
    tags TEXT NOT NULL,
    PRIMARY KEY (run, dataset)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tracking_models (
    number INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL REFERENCES tracking_experiments,
    name TEXT NOT NULL,
    model_type TEXT,
    source_run_id TEXT,
    artifact_uri TEXT NOT NULL,
    status TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE tracking_model_params (
    model INTEGER NOT NULL REFERENCES tracking_models,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE tracking_model_tags (
    model INTEGER NOT NULL REFERENCES tracking_models,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
  ) STRICT, WITHOUT ROWID;
  -- The latest point of a metric that a run measured on a model, for each dataset ('' for none).
  CREATE TABLE tracking_model_metrics (
    model INTEGER NOT NULL REFERENCES tracking_models,
    key TEXT NOT NULL,
    dataset_name TEXT NOT NULL,
    dataset_digest TEXT NOT NULL,
    run_id TEXT NOT NULL,
    value REAL,
    latest BLOB NOT NULL,
    PRIMARY KEY (model, key, dataset_name, dataset_digest, run_id)
  ) STRICT, WITHOUT ROWID;
  -- Logged models a run made (outputs) or used.
  CREATE TABLE tracking_run_models (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES tracking_runs,
    model_id TEXT NOT NULL,
    is_output INTEGER NOT NULL,
    step INTEGER NOT NULL,
    UNIQUE (run, model_id, is_output)
  ) STRICT;
`;

export const TRACKING_SCHEMA: AreaSchema = { area: 'tracking', steps: [FIRST] };
