import Database from 'libsql';

import { SluiceError } from '../../contract';

/** The tables of one area of the lab, and how they came about. */
export interface AreaSchema {
  /** `tracking`, `jobs`, ...: the prefix of its tables. */
  readonly area: string;
  /** SQL, run once each and in order; a released step never changes, a new one is added. */
  readonly steps: readonly string[];
}

/**
 * The lab's SQLite file: one connection, synchronous, several areas. A commit survives the end of the process at any
 * moment (WAL); a power loss may cost the last commits, never the file, unless `flush` was called after them.
 */
export class LabDatabase {
  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
  ) {}

  /**
   * Opens or creates, and brings the areas' tables up to date, all or none.
   * @param path `:memory:` keeps nothing.
   * @throws SluiceError `io` when it can't be opened or written, `bad-input` when it is another kind of file,
   * `unsupported` when a newer Sluice made it; the file is then untouched.
   */
  static open(path: string, schemas: readonly AreaSchema[]): LabDatabase {
    let database: Database.Database;
    try {
      database = new Database(path);
    } catch (cause) {
      throw new SluiceError('io', `Can't open ${path}: ${reasonOf(cause)}.`, { path }, { cause });
    }
    try {
      // Reading the list of tables finds out whether it is a database at all.
      const isNew = database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').all().length === 0;
      const versions = isNew ? new Map<string, number>() : versionsIn(database, path);
      refuseNewer(path, versions, schemas);
      if (isNew) database.exec('PRAGMA journal_mode = WAL');
      database.exec('PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
      migrate(database, versions, schemas);
      return new LabDatabase(path, database);
    } catch (cause) {
      database.close();
      if (cause instanceof SluiceError) throw cause;
      throw new SluiceError(
        'bad-input',
        `${path}: expected a lab's database, found ${reasonOf(cause)}. Name another folder.`,
        { path },
        { cause },
      );
    }
  }

  /** A statement to keep and run again and again. Rows come as objects. */
  prepare(sql: string): Database.Statement {
    return this.database.prepare(sql);
  }

  /** Runs SQL that gives nothing back: tables and triggers of this connection alone. */
  execute(sql: string): void {
    this.database.exec(sql);
  }

  /** Runs `work` as one transaction, all or nothing. Not to be nested. @throws what it throws, SluiceError `io`. */
  transaction<T>(work: () => T): T {
    try {
      return allOrNothing(this.database, work);
    } catch (cause) {
      if (!(cause instanceof Database.SqliteError)) throw cause;
      throw new SluiceError(
        'io',
        `Can't write ${this.path}: ${reasonOf(cause)}. Nothing of it was written.`,
        { path: this.path },
        { cause },
      );
    }
  }

  /** What was committed before outlives a power loss too. */
  flush(): void {
    this.database.exec('PRAGMA wal_checkpoint(FULL)');
  }

  close(): void {
    this.database.close();
  }
}

const CREATE_VERSIONS =
  'CREATE TABLE area_versions (area TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID';

function versionsIn(database: Database.Database, path: string): Map<string, number> {
  const [known] = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'area_versions'").all();
  if (!known) {
    throw new SluiceError(
      'bad-input',
      `${path}: expected a lab's database, found other tables. Name another folder.`,
      { path },
    );
  }
  const rows = database.prepare('SELECT area, version FROM area_versions').raw().all() as [string, number][];
  return new Map(rows);
}

function refuseNewer(
  path: string,
  versions: ReadonlyMap<string, number>,
  schemas: readonly AreaSchema[],
): void {
  for (const { area, steps } of schemas) {
    const found = versions.get(area) ?? 0;
    if (found <= steps.length) continue;
    throw new SluiceError(
      'unsupported',
      `${path}: "${area}" is of version ${found}, and this Sluice knows versions up to ${steps.length}. ` +
        'A newer Sluice wrote it: use that one. Nothing was changed.',
      { path, area, found, known: steps.length },
    );
  }
}

function migrate(
  database: Database.Database,
  versions: ReadonlyMap<string, number>,
  schemas: readonly AreaSchema[],
): void {
  const stale = schemas.filter(({ area, steps }) => (versions.get(area) ?? 0) < steps.length);
  if (stale.length === 0) return;
  allOrNothing(database, () => {
    if (versions.size === 0) database.exec(CREATE_VERSIONS);
    const setVersion = database.prepare('INSERT OR REPLACE INTO area_versions VALUES (?, ?)');
    for (const { area, steps } of stale) {
      for (const sql of steps.slice(versions.get(area) ?? 0)) database.exec(sql);
      setVersion.run(area, steps.length);
    }
  });
}

/**
 * The library's own `transaction` hides why one failed that SQLite has taken back itself, as it does on a full disk: it
 * takes it back once more, and that is an error.
 */
function allOrNothing<T>(database: Database.Database, work: () => T): T {
  database.exec('BEGIN');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
