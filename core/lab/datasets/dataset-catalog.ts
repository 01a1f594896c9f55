import { SluiceError } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import {
  checkDatasetName,
  type Dataset,
  type DatasetEdit,
  type DatasetUser,
  type DatasetVersion,
  type Visibility,
} from './dataset-types';

const MAX_NAMED = 10;
const SHORTEST_HASH = 8;
/** Longer ones of digits alone are hashes. */
const LONGEST_NUMBER = 7;

/** A version to enter. */
export type NewVersion = Omit<DatasetVersion, 'number' | 'createdMs'>;

interface SetRow {
  readonly id: number;
  readonly name: string;
  readonly owner: string;
  readonly visibility: Visibility;
  readonly description: string;
  readonly created_ms: number;
}

const VERSION_COLUMNS =
  'number, manifest AS hash, public_manifest AS publicHash, files, bytes, note, created_ms AS createdMs';

/** Names, owners and versions in the lab's database. A private dataset of another is as if it were not there. */
export class DatasetCatalog {
  constructor(
    private readonly database: LabDatabase,
    private readonly nowMs: () => number,
  ) {}

  /** Those a user may see, by name. @param text in the name, the description or a tag; all without it. */
  list(user: DatasetUser, text = ''): Dataset[] {
    const rows = this.database
      .prepare(
        `SELECT * FROM datasets_sets AS s
         WHERE (visibility = 'shared' OR owner = :user) AND (
           instr(lower(name), :text) OR instr(lower(description), :text) OR :text = '' OR
           EXISTS (SELECT 1 FROM datasets_tags WHERE set_id = s.id AND instr(lower(tag), :text))
         ) ORDER BY name`,
      )
      .all({ user: user.name, text: text.toLowerCase() }) as SetRow[];
    return rows.map((row) => this.describe(row));
  }

  /** @throws SluiceError `not-found` with the names that there are. */
  get(user: DatasetUser, name: string): Dataset {
    return this.describe(this.visible(user, name));
  }

  /**
   * @param version a number, the beginning of a hash or `latest`.
   * @throws SluiceError `not-found` with what there is, `bad-input` for a hash that begins several.
   */
  version(user: DatasetUser, name: string, version: string): DatasetVersion {
    const { versions } = this.get(user, name);
    const found = versions.filter((one, at) => isNamed(one, at, version));
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      throw new SluiceError(
        'bad-input',
        `${name}@${version}: several versions begin so. Give more of the hash.`,
      );
    }
    const numbers = versions
      .slice(0, MAX_NAMED)
      .map(({ number, hash }) => `${number} (${hash.slice(0, 12)})`);
    throw new SluiceError(
      'not-found',
      `${name} has no version ${JSON.stringify(version.slice(0, 100))}. ` +
        (numbers.length > 0 ? `There are ${numbers.join(', ')}.` : 'All of its versions were removed.'),
      { name, version: version.slice(0, 100) },
    );
  }

  /** @throws SluiceError `bad-input`, `conflict` when another has taken the name. */
  checkPush(user: DatasetUser, name: string): void {
    checkDatasetName(name);
    const row = this.row(name);
    if (!row || row.owner === user.name) return;
    throw new SluiceError('conflict', `${name} belongs to another user. Push under another name.`, { name });
  }

  /**
   * Enters a version, and the dataset when it is new; of a content that is there already the version that has it.
   * Durable when it returns.
   */
  addVersion(user: DatasetUser, name: string, version: NewVersion, edit: DatasetEdit = {}): DatasetVersion {
    const added = this.database.transaction(() => {
      this.checkPush(user, name);
      const createdMs = Math.floor(this.nowMs());
      this.database
        .prepare(
          `INSERT INTO datasets_sets VALUES (NULL, ?, ?, 'private', '', 1, ?) ON CONFLICT (name) DO NOTHING`,
        )
        .run(name, user.name, createdMs);
      const { id } = this.row(name)!;
      this.applyEdit(id, edit);
      const [known] = this.database
        .prepare(`SELECT ${VERSION_COLUMNS} FROM datasets_versions WHERE set_id = ? AND manifest = ?`)
        .all(id, version.hash) as DatasetVersion[];
      return known ? { ...known } : this.insertVersion(id, { ...version, createdMs });
    });
    this.database.flush();
    return added;
  }

  /** @throws SluiceError `not-found`, `unauthorized` for a dataset of another. */
  edit(user: DatasetUser, name: string, edit: DatasetEdit): Dataset {
    const { id } = this.owned(user, name);
    this.database.transaction(() => this.applyEdit(id, edit));
    return this.get(user, name);
  }

  /** Durable when it returns: chunks may be collected after it. @throws as `version` and `edit`. */
  removeVersion(user: DatasetUser, name: string, version: string): DatasetVersion {
    const { id } = this.owned(user, name);
    const found = this.version(user, name, version);
    this.database
      .prepare('DELETE FROM datasets_versions WHERE set_id = ? AND number = ?')
      .run(id, found.number);
    this.database.flush();
    return found;
  }

  /** Removes a dataset with all its versions. Durable when it returns. @throws as `edit`. */
  remove(user: DatasetUser, name: string): void {
    const { id } = this.owned(user, name);
    this.database.prepare('DELETE FROM datasets_sets WHERE id = ?').run(id);
    this.database.flush();
  }

  /** Every manifest that something refers to, snapshots of runs too. */
  manifests(): string[] {
    return this.database
      .prepare('SELECT manifest FROM datasets_versions UNION SELECT manifest FROM datasets_snapshots')
      .raw()
      .all()
      .map((row) => (row as [string])[0]);
  }

  /** Whether there is a version whose files without hidden parts are these. */
  hasPublic(publicHash: string): boolean {
    const sql = 'SELECT 1 FROM datasets_versions WHERE public_manifest = ? LIMIT 1';
    return this.database.prepare(sql).all([publicHash]).length > 0;
  }

  /** @throws SluiceError `not-found`, `unauthorized`. */
  owned(user: DatasetUser, name: string): SetRow {
    const row = this.visible(user, name);
    if (row.owner === user.name) return row;
    throw new SluiceError('unauthorized', `${name} belongs to ${row.owner}, who alone may change it.`, {
      name,
    });
  }

  private visible(user: DatasetUser, name: string): SetRow {
    const row = this.row(name);
    if (row && (row.visibility === 'shared' || row.owner === user.name)) return row;
    const names = this.list(user).map((dataset) => dataset.name);
    const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
    throw new SluiceError(
      'not-found',
      `There is no dataset ${JSON.stringify(name.slice(0, 100))}. ` +
        (names.length > 0
          ? `There are ${names.slice(0, MAX_NAMED).join(', ')}${more}.`
          : 'There are none yet.'),
      { name: name.slice(0, 100) },
    );
  }

  private row(name: string): SetRow | undefined {
    return this.database.prepare('SELECT * FROM datasets_sets WHERE name = ?').all(name)[0] as
      SetRow | undefined;
  }

  private describe({ id, name, owner, visibility, description, created_ms }: SetRow): Dataset {
    const tags = this.database
      .prepare('SELECT tag FROM datasets_tags WHERE set_id = ? ORDER BY tag')
      .raw()
      .all(id);
    const versions = this.database
      .prepare(`SELECT ${VERSION_COLUMNS} FROM datasets_versions WHERE set_id = ? ORDER BY number DESC`)
      .all(id) as DatasetVersion[];
    return {
      name,
      owner,
      visibility,
      description,
      tags: tags.map((row) => (row as [string])[0]),
      createdMs: created_ms,
      versions: versions.map((version) => ({ ...version })),
    };
  }

  private insertVersion(id: number, version: Omit<DatasetVersion, 'number'>): DatasetVersion {
    const [next] = this.database
      .prepare(
        'UPDATE datasets_sets SET next_number = next_number + 1 WHERE id = ? RETURNING next_number - 1 AS n',
      )
      .all(id) as { n: number }[];
    const number = next!.n;
    const { hash, publicHash, files, bytes, note, createdMs } = version;
    this.database
      .prepare('INSERT INTO datasets_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(id, number, hash, publicHash, files, bytes, note, createdMs);
    return { ...version, number };
  }

  private applyEdit(id: number, { visibility, description, tags }: DatasetEdit): void {
    const set = (column: string, value: string) =>
      this.database.prepare(`UPDATE datasets_sets SET ${column} = ? WHERE id = ?`).run(value, id);
    if (visibility !== undefined) set('visibility', visibility);
    if (description !== undefined) set('description', description);
    if (!tags) return;
    this.database.prepare('DELETE FROM datasets_tags WHERE set_id = ?').run(id);
    const add = this.database.prepare('INSERT OR IGNORE INTO datasets_tags VALUES (?, ?)');
    for (const tag of tags) add.run(id, tag);
  }
}

function isNamed({ number, hash, publicHash }: DatasetVersion, at: number, version: string): boolean {
  if (version === 'latest') return at === 0;
  if (/^\d+$/.test(version) && version.length <= LONGEST_NUMBER) return number === Number(version);
  if (version.length < SHORTEST_HASH) return false;
  return hash.startsWith(version) || publicHash.startsWith(version);
}
