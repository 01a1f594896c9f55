import type { AreaSchema } from '../store/lab-database';

/** A run gets a new revision with whatever is written of it, in the transaction that writes it; only while there are remotes. */
const marks = (name: string, event: string, run: string): string => `
  CREATE TRIGGER sync_${name} AFTER ${event} WHEN EXISTS (SELECT 1 FROM sync_remotes) BEGIN
    INSERT INTO sync_changes VALUES (${run}, (SELECT coalesce(max(revision), 0) + 1 FROM sync_changes))
      ON CONFLICT (run) DO UPDATE SET revision = excluded.revision;
  END;`;

/** A tracking step that makes one of these tables anew has to make its triggers anew too. */
const TRIGGERS = [
  marks('run_added', 'INSERT ON tracking_runs', 'NEW.number'),
  marks('run_changed', 'UPDATE ON tracking_runs', 'NEW.number'),
  marks('param_added', 'INSERT ON tracking_params', 'NEW.run'),
  marks('tag_added', 'INSERT ON tracking_tags', 'NEW.run'),
  marks('tag_changed', 'UPDATE ON tracking_tags', 'NEW.run'),
  marks('points_added', 'INSERT ON tracking_journal', 'NEW.run'),
  marks('input_added', 'INSERT ON tracking_inputs', 'NEW.run'),
];

const FIRST = `
  -- One row: who this lab is to others.
  CREATE TABLE sync_self (lab_id TEXT NOT NULL) STRICT;

  -- Where runs are forwarded. What is kept of tokens stands beside the database. Of the last three, NULL is never.
  CREATE TABLE sync_remotes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    -- Names as a JSON list; NULL: all.
    experiments TEXT,
    -- 'lab' or 'mlflow', and the lab's id; NULL until it was reached.
    kind TEXT,
    lab_id TEXT,
    succeeded_ms INTEGER,
    failed_ms INTEGER,
    error TEXT
  ) STRICT;

  -- The last change of each run.
  CREATE TABLE sync_changes (run INTEGER PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
  CREATE INDEX sync_changes_by_revision ON sync_changes (revision);

  -- How far a remote has a run: all of it up to a revision, or (done_revision behind) some of it.
  CREATE TABLE sync_runs (
    remote INTEGER NOT NULL REFERENCES sync_remotes ON DELETE CASCADE,
    run INTEGER NOT NULL,
    remote_run TEXT,
    artifact_uri TEXT,
    done_revision INTEGER NOT NULL,
    -- Hashes of what it has, and why it refuses more.
    facts TEXT,
    status TEXT,
    error TEXT,
    PRIMARY KEY (remote, run)
  ) STRICT, WITHOUT ROWID;
  -- How many points of a metric a remote has, in the order they came.
  CREATE TABLE sync_series (
    remote INTEGER NOT NULL REFERENCES sync_remotes ON DELETE CASCADE,
    run INTEGER NOT NULL,
    key TEXT NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (remote, run, key)
  ) STRICT, WITHOUT ROWID;
  -- The files a remote has. The owner is a run's id or a logged model's.
  CREATE TABLE sync_files (
    remote INTEGER NOT NULL REFERENCES sync_remotes ON DELETE CASCADE,
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified_ms REAL NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (remote, owner, path)
  ) STRICT, WITHOUT ROWID;
  -- Logged models and versions of registered ones ('m-...', 'NAME/VERSION') and what they are there.
  CREATE TABLE sync_models (
    remote INTEGER NOT NULL REFERENCES sync_remotes ON DELETE CASCADE,
    model TEXT NOT NULL,
    remote_model TEXT NOT NULL,
    artifact_uri TEXT,
    facts TEXT,
    PRIMARY KEY (remote, model)
  ) STRICT, WITHOUT ROWID;

  -- What other labs forwarded here: which of them, where a run was made, and how many points of it were taken.
  CREATE TABLE sync_received_runs (
    run_id TEXT PRIMARY KEY,
    sender TEXT NOT NULL,
    origin TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sync_received_series (
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (run_id, key)
  ) STRICT, WITHOUT ROWID;

  ${TRIGGERS.join('')}
  -- A number that is used again is another run.
  CREATE TRIGGER sync_run_gone AFTER DELETE ON tracking_runs BEGIN
    DELETE FROM sync_changes WHERE run = OLD.number;
    DELETE FROM sync_runs WHERE run = OLD.number;
    DELETE FROM sync_series WHERE run = OLD.number;
    DELETE FROM sync_received_runs WHERE run_id = OLD.run_id;
    DELETE FROM sync_received_series WHERE run_id = OLD.run_id;
  END;
`;

/** Needs the tables of tracking. */
export const SYNC_SCHEMA: AreaSchema = { area: 'sync', steps: [FIRST] };
