import type { AreaSchema } from '../store/lab-database';

/** Datasets, their versions, and the snapshots of runs' folders: all that refers to chunks. */
export const datasetSchema: AreaSchema = {
  area: 'datasets',
  steps: [
    `CREATE TABLE datasets_sets (
       id INTEGER PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       owner TEXT NOT NULL,
       visibility TEXT NOT NULL CHECK (visibility IN ('private', 'shared')),
       description TEXT NOT NULL,
       next_number INTEGER NOT NULL,
       created_ms INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE datasets_tags (
       set_id INTEGER NOT NULL REFERENCES datasets_sets ON DELETE CASCADE,
       tag TEXT NOT NULL,
       PRIMARY KEY (set_id, tag)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE datasets_versions (
       set_id INTEGER NOT NULL REFERENCES datasets_sets ON DELETE CASCADE,
       number INTEGER NOT NULL,
       manifest TEXT NOT NULL,
       public_manifest TEXT NOT NULL,
       files INTEGER NOT NULL,
       bytes INTEGER NOT NULL,
       note TEXT NOT NULL,
       created_ms INTEGER NOT NULL,
       PRIMARY KEY (set_id, number),
       UNIQUE (set_id, manifest)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE datasets_snapshots (
       holder TEXT PRIMARY KEY,
       manifest TEXT NOT NULL,
       files INTEGER NOT NULL,
       bytes INTEGER NOT NULL,
       created_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;`,
  ],
};
