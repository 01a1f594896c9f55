import { SluiceError } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import { checkModelName, quote, type Stage, type Tag } from './names';

export interface ModelVersion {
  readonly model: string;
  /** 1, 2, ...; never used again, also when it was removed. */
  readonly version: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly stage: Stage;
  readonly description: string;
  /** As it was given. */
  readonly source: string;
  /** Where its files are: `source` with what it refers to in the registry looked up. */
  readonly location: string;
  /** Empty when none was named, as are the next two. */
  readonly runId: string;
  readonly runLink: string;
  /** The id of the logged model (MLflow 3) it came from. */
  readonly loggedModel: string;
  readonly tags: readonly Tag[];
  readonly aliases: readonly string[];
}

export interface ModelAlias {
  readonly alias: string;
  readonly version: number;
}

export interface RegisteredModel {
  readonly name: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly description: string;
  readonly tags: readonly Tag[];
  readonly aliases: readonly ModelAlias[];
  /** The newest of each stage. */
  readonly latestVersions: readonly ModelVersion[];
}

interface ModelRow {
  readonly id: number;
  readonly name: string;
  readonly created_ms: number;
  readonly updated_ms: number;
  readonly description: string;
}

interface VersionRow extends ModelRow {
  readonly version: number;
  readonly stage: Stage;
  readonly source: string;
  readonly location: string;
  readonly run_id: string;
  readonly run_link: string;
  readonly logged_model: string;
}

interface TagRow extends Tag {
  readonly owner: number;
}

const IDS = '(SELECT value FROM json_each(?))';

/** Reads models and versions with what belongs to them, a few statements for any number of them. */
export class RegistryRows {
  constructor(private readonly database: LabDatabase) {}

  /** @throws SluiceError `bad-input` (no name at all), `not-found`. */
  modelId(name: string): number {
    checkModelName(name);
    const id = this.findModelId(name);
    if (id !== undefined) return id;
    throw new SluiceError('not-found', `Registered model ${quote(name)}: there is none of that name.`, {
      name,
    });
  }

  findModelId(name: string): number | undefined {
    return this.ids('SELECT id FROM registry_models WHERE name = ?', name)[0];
  }

  /** @throws SluiceError `bad-input`, `not-found`. */
  versionId(name: string, version: number): number {
    const model = this.modelId(name);
    const [id] = this.ids('SELECT id FROM registry_versions WHERE model = ? AND version = ?', model, version);
    if (id !== undefined) return id;
    throw new SluiceError(
      'not-found',
      `Model version ${version} of ${quote(name)}: there is none of that number.`,
      {
        name,
        version,
      },
    );
  }

  ids(sql: string, ...parameters: (string | number)[]): readonly number[] {
    const rows = this.rows(sql, ...parameters) as readonly { readonly id: number }[];
    return rows.map(({ id }) => id);
  }

  /** In the order of `ids`. */
  models(ids: readonly number[]): readonly RegisteredModel[] {
    const list = JSON.stringify(ids);
    const rows = this.rows(`SELECT * FROM registry_models WHERE id IN ${IDS}`, list) as readonly ModelRow[];
    const tags = this.tags('registry_model_tags', list);
    const aliases = this.rows(
      `SELECT a.model, a.alias, v.version FROM registry_aliases a JOIN registry_versions v ON v.id = a.version
       WHERE a.model IN ${IDS} ORDER BY a.alias`,
      list,
    ) as readonly (ModelAlias & { model: number })[];
    const aliasesOf = groupBy(aliases, ({ model }) => model);
    const latestOf = groupBy(this.versions(this.latestVersionIds(ids)), ({ model }) => model);
    return inOrder(ids, rows, (row) => ({
      name: row.name,
      createdMs: row.created_ms,
      updatedMs: row.updated_ms,
      description: row.description,
      tags: tags(row.id),
      aliases: (aliasesOf.get(row.id) ?? []).map(({ alias, version }) => ({ alias, version })),
      latestVersions: latestOf.get(row.name) ?? [],
    }));
  }

  /** The newest version of each stage of each model. */
  latestVersionIds(models: readonly number[]): readonly number[] {
    return this.ids(
      `SELECT id FROM (
         SELECT id, model, version, ROW_NUMBER() OVER (PARTITION BY model, stage ORDER BY version DESC) AS place
         FROM registry_versions WHERE model IN ${IDS}
       ) WHERE place = 1 ORDER BY model, version`,
      JSON.stringify(models),
    );
  }

  /** In the order of `ids`. */
  versions(ids: readonly number[]): readonly ModelVersion[] {
    const list = JSON.stringify(ids);
    const rows = this.rows(
      `SELECT v.*, m.name FROM registry_versions v JOIN registry_models m ON m.id = v.model WHERE v.id IN ${IDS}`,
      list,
    ) as readonly VersionRow[];
    const tags = this.tags('registry_version_tags', list);
    const aliases = this.rows(
      `SELECT version, alias FROM registry_aliases WHERE version IN ${IDS} ORDER BY alias`,
      list,
    ) as readonly { version: number; alias: string }[];
    const aliasesOf = groupBy(aliases, ({ version }) => version);
    return inOrder(ids, rows, (row) => ({
      model: row.name,
      version: row.version,
      createdMs: row.created_ms,
      updatedMs: row.updated_ms,
      stage: row.stage,
      description: row.description,
      source: row.source,
      location: row.location,
      runId: row.run_id,
      runLink: row.run_link,
      loggedModel: row.logged_model,
      tags: tags(row.id),
      aliases: (aliasesOf.get(row.id) ?? []).map(({ alias }) => alias),
    }));
  }

  run(sql: string, ...parameters: (string | number)[]): void {
    this.database.prepare(sql).run(...parameters);
  }

  /** Of the shape the statement asks for. */
  rows(sql: string, ...parameters: (string | number)[]): readonly unknown[] {
    return this.database.prepare(sql).all(...parameters);
  }

  /** @param table of tags of models or of versions. */
  setTag(table: string, owner: number, { key, value }: Tag): void {
    this.run(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, owner, key, value);
  }

  removeTag(table: string, owner: number, key: string): void {
    this.run(`DELETE FROM ${table} WHERE owner = ? AND key = ?`, owner, key);
  }

  private tags(table: string, owners: string): (owner: number) => readonly Tag[] {
    const rows = this.rows(
      `SELECT * FROM ${table} WHERE owner IN ${IDS} ORDER BY key`,
      owners,
    ) as readonly TagRow[];
    const byOwner = groupBy(rows, ({ owner }) => owner);
    return (owner) => (byOwner.get(owner) ?? []).map(({ key, value }) => ({ key, value }));
  }
}

function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function inOrder<R extends { readonly id: number }, T>(
  ids: readonly number[],
  rows: readonly R[],
  make: (row: R) => T,
): readonly T[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    return row ? [make(row)] : [];
  });
}
