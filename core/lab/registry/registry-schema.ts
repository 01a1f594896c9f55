import type { AreaSchema } from '../store/lab-database';

/** Absent texts are empty. Times are milliseconds since the Unix epoch. */
export const REGISTRY_SCHEMA: AreaSchema = {
  area: 'registry',
  steps: [
    `CREATE TABLE registry_models (
       id INTEGER PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       created_ms INTEGER NOT NULL,
       updated_ms INTEGER NOT NULL,
       description TEXT NOT NULL,
       last_version INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE registry_versions (
       id INTEGER PRIMARY KEY,
       model INTEGER NOT NULL REFERENCES registry_models ON DELETE CASCADE,
       version INTEGER NOT NULL,
       created_ms INTEGER NOT NULL,
       updated_ms INTEGER NOT NULL,
       stage TEXT NOT NULL,
       description TEXT NOT NULL,
       source TEXT NOT NULL,
       location TEXT NOT NULL,
       run_id TEXT NOT NULL,
       run_link TEXT NOT NULL,
       logged_model TEXT NOT NULL,
       UNIQUE (model, version)
     ) STRICT;
     CREATE INDEX registry_versions_by_run ON registry_versions (run_id);
     CREATE TABLE registry_model_tags (
       owner INTEGER NOT NULL REFERENCES registry_models ON DELETE CASCADE,
       key TEXT NOT NULL,
       value TEXT NOT NULL,
       PRIMARY KEY (owner, key)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE registry_version_tags (
       owner INTEGER NOT NULL REFERENCES registry_versions ON DELETE CASCADE,
       key TEXT NOT NULL,
       value TEXT NOT NULL,
       PRIMARY KEY (owner, key)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE registry_aliases (
       model INTEGER NOT NULL REFERENCES registry_models ON DELETE CASCADE,
       alias TEXT NOT NULL,
       version INTEGER NOT NULL REFERENCES registry_versions ON DELETE CASCADE,
       PRIMARY KEY (model, alias)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX registry_aliases_by_version ON registry_aliases (version)`,
  ],
};
