import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import { checkPromptSource, locateSource, type SourceLookup } from './model-source';
import {
  checkAlias,
  checkDescription,
  checkTag,
  checkTagKey,
  isPrompt,
  parseStage,
  quote,
  refuseReservedAlias,
  STAGES,
  type Stage,
  type Tag,
} from './names';
import type { RegistryEvent, RegistryListeners } from './registry-events';
import type { ModelVersion, RegistryRows } from './registry-rows';
import { offsetOf, pageOf, searchSql, type Page, type RegistrySearch, type Searchable } from './search-sql';

export interface NewModelVersion {
  readonly model: string;
  /** A URI: `mlflow-artifacts:/...`, `runs:/RUN/PATH`, `models:/NAME/VERSION`, ... */
  readonly source: string;
  readonly runId?: string;
  readonly runLink?: string;
  readonly loggedModel?: string;
  readonly description?: string;
  readonly tags?: readonly Tag[];
}

const TAGS = 'registry_version_tags';
/** A page holds no more, whatever is asked for. */
const MOST_ON_A_PAGE = 10_000;

const SEARCHABLE: Searchable = {
  attributes: new Map([
    ['name', { sql: 'm.name', type: 'list' }],
    ['version_number', { sql: 'v.version', type: 'number' }],
    ['run_id', { sql: 'v.run_id', type: 'list' }],
    ['source_path', { sql: 'v.source', type: 'text' }],
  ]),
  orders: new Map([
    ['name', 'm.name'],
    ['version_number', 'v.version'],
    ['creation_timestamp', 'v.created_ms'],
    ['last_updated_timestamp', 'v.updated_ms'],
  ]),
  defaultOrder: ['last_updated_timestamp DESC', 'name ASC', 'version_number DESC'],
  tieBreakers: ['m.name ASC', 'v.version DESC'],
  tagTable: TAGS,
  owner: 'v.id',
};

/** The versions of models. Wrong texts are `bad-input`, unknown models and versions `not-found`. */
export class ModelVersions {
  constructor(
    private readonly database: LabDatabase,
    private readonly rows: RegistryRows,
    private readonly clock: Clock,
    private readonly lookup: SourceLookup,
    private readonly listeners: RegistryListeners,
  ) {}

  create(given: NewModelVersion): ModelVersion {
    const { model, source, tags = [], description = '' } = given;
    checkDescription(description);
    tags.forEach(checkTag);
    const id = this.rows.modelId(model);
    const location = isPrompt(tags) ? source : locateSource(source, this.lookup, this.locationOf);
    if (isPrompt(tags)) checkPromptSource(source);
    const version = this.database.transaction(() => this.insert(id, given, location));
    this.listeners.tell([{ kind: 'version-created', model, version }]);
    return this.get(model, version);
  }

  get(model: string, version: number): ModelVersion {
    return this.one(this.rows.versionId(model, version));
  }

  /** All of a model, the newest first. */
  of(model: string): readonly ModelVersion[] {
    const ids = this.rows.ids(
      'SELECT id FROM registry_versions WHERE model = ? ORDER BY version DESC',
      this.rows.modelId(model),
    );
    return this.rows.versions(ids);
  }

  /** Sets its description. */
  update(model: string, version: number, description: string): ModelVersion {
    checkDescription(description);
    const id = this.rows.versionId(model, version);
    this.database.transaction(() =>
      this.rows.run(
        'UPDATE registry_versions SET description = ?, updated_ms = ? WHERE id = ?',
        ...[description, this.nowMs(), id],
      ),
    );
    return this.one(id);
  }

  /** Removes it and its aliases; the files it names stay. */
  remove(model: string, version: number): void {
    const id = this.rows.versionId(model, version);
    const { aliases } = this.one(id);
    this.database.transaction(() => {
      this.touchModel(id);
      this.rows.run('DELETE FROM registry_versions WHERE id = ?', id);
    });
    this.listeners.tell([
      ...aliases.map((alias) => ({ kind: 'alias-removed', model, alias, version }) as const),
      { kind: 'version-removed', model, version },
    ]);
  }

  /**
   * @param stage in any case.
   * @param archivesOthers the versions that are in that stage become Archived; for Staging and Production only.
   */
  moveTo(model: string, version: number, stage: string, archivesOthers = false): ModelVersion {
    const to = parseStage(stage);
    if (archivesOthers && to !== 'Staging' && to !== 'Production') {
      throw new SluiceError(
        'bad-input',
        `archive_existing_versions: expected the stage Staging or Production with it, found ${to}; leave it out.`,
      );
    }
    const id = this.rows.versionId(model, version);
    const others = archivesOthers
      ? this.rows.ids(
          `SELECT id FROM registry_versions
           WHERE model = (SELECT model FROM registry_versions WHERE id = ?) AND stage = ? AND id <> ? ORDER BY version`,
          ...[id, to, id],
        )
      : [];
    const before = this.rows.versions([...others, id]);
    this.database.transaction(() => {
      for (const other of others) this.setStage(other, 'Archived');
      this.setStage(id, to);
      this.touchModel(id);
    });
    this.listeners.tell(stageEvents(before, version, to));
    return this.one(id);
  }

  search(search: RegistrySearch): Page<ModelVersion> {
    const { where, parameters, orderBy } = searchSql(search, SEARCHABLE);
    const offset = offsetOf(search.pageToken);
    const maxResults = Math.min(search.maxResults, MOST_ON_A_PAGE);
    const ids = this.rows.ids(
      `SELECT v.id FROM registry_versions v JOIN registry_models m ON m.id = v.model
       WHERE ${where} ORDER BY ${orderBy} LIMIT ? OFFSET ?`,
      ...[...parameters, maxResults + 1, offset],
    );
    const { items, ...rest } = pageOf(ids, offset, maxResults);
    return { items: this.rows.versions(items), ...rest };
  }

  /** The newest version of each stage. @param stages in any case; none: all. */
  latest(model: string, stages: readonly string[] = []): readonly ModelVersion[] {
    const wanted: readonly Stage[] = stages.length === 0 ? STAGES : stages.map(parseStage);
    const ids = this.rows.latestVersionIds([this.rows.modelId(model)]);
    return this.rows.versions(ids).filter(({ stage }) => wanted.includes(stage));
  }

  setTag(model: string, version: number, tag: Tag): void {
    checkTag(tag);
    const id = this.rows.versionId(model, version);
    this.database.transaction(() => this.rows.setTag(TAGS, id, tag));
  }

  /** Of a tag that is not there, nothing happens. */
  removeTag(model: string, version: number, key: string): void {
    checkTagKey(key);
    const id = this.rows.versionId(model, version);
    this.database.transaction(() => this.rows.removeTag(TAGS, id, key));
  }

  /** Gives a version an alias, taking it from the version that has it. */
  setAlias(model: string, alias: string, version: number): void {
    checkAlias(alias);
    refuseReservedAlias(alias);
    const id = this.rows.versionId(model, version);
    const previousVersion = this.findAlias(model, alias)?.version;
    this.database.transaction(() =>
      this.rows.run(
        'INSERT OR REPLACE INTO registry_aliases VALUES ((SELECT model FROM registry_versions WHERE id = ?), ?, ?)',
        ...[id, alias, id],
      ),
    );
    if (previousVersion === version) return;
    const event = { kind: 'alias-set', model, alias, version } as const;
    this.listeners.tell([previousVersion === undefined ? event : { ...event, previousVersion }]);
  }

  /** Of an alias that is not there, nothing happens. */
  removeAlias(model: string, alias: string): void {
    checkAlias(alias);
    const named = this.findAlias(model, alias);
    if (!named) return;
    const id = this.rows.modelId(model);
    this.database.transaction(() =>
      this.rows.run('DELETE FROM registry_aliases WHERE model = ? AND alias = ?', id, alias),
    );
    this.listeners.tell([{ kind: 'alias-removed', model, alias, version: named.version }]);
  }

  /**
   * @param alias `latest` is the newest version.
   * @throws SluiceError `bad-input` when no version has it, as MLflow says it.
   */
  byAlias(model: string, alias: string): ModelVersion {
    checkAlias(alias);
    if (alias.toLowerCase() === 'latest') return this.newest(model);
    const version = this.findAlias(model, alias);
    if (version) return version;
    throw new SluiceError(
      'bad-input',
      `Registered model alias ${quote(alias)}: no version of ${quote(model)} has it.`,
    );
  }

  private newest(model: string): ModelVersion {
    const id = this.rows.modelId(model);
    const [newest] = this.rows.ids(
      'SELECT id FROM registry_versions WHERE model = ? ORDER BY version DESC LIMIT 1',
      id,
    );
    if (newest !== undefined) return this.one(newest);
    throw new SluiceError('not-found', `Registered model ${quote(model)}: it has no version.`, { model });
  }

  private findAlias(model: string, alias: string): ModelVersion | undefined {
    const id = this.rows.modelId(model);
    const found = this.rows.ids(
      'SELECT version AS id FROM registry_aliases WHERE model = ? AND alias = ?',
      id,
      alias,
    );
    return this.rows.versions(found)[0];
  }

  private readonly locationOf = (model: string, versionOrAlias: number | string): string =>
    (typeof versionOrAlias === 'number'
      ? this.get(model, versionOrAlias)
      : this.byAlias(model, versionOrAlias)
    ).location;

  private one(id: number): ModelVersion {
    const [version] = this.rows.versions([id]);
    if (version) return version;
    throw new SluiceError('internal', 'A model version was removed while it was read.');
  }

  private insert(model: number, given: NewModelVersion, location: string): number {
    const { source, tags = [], description = '', runId = '', runLink = '', loggedModel = '' } = given;
    const nowMs = this.nowMs();
    this.rows.run(
      'UPDATE registry_models SET last_version = last_version + 1, updated_ms = ? WHERE id = ?',
      ...[nowMs, model],
    );
    this.rows.run(
      `INSERT INTO registry_versions
         (model, version, created_ms, updated_ms, stage, description, source, location, run_id, run_link, logged_model)
       SELECT id, last_version, ?, ?, 'None', ?, ?, ?, ?, ?, ? FROM registry_models WHERE id = ?`,
      ...[nowMs, nowMs, description, source, location, runId, runLink, loggedModel, model],
    );
    const [row] = this.rows.rows(
      'SELECT id, version FROM registry_versions WHERE model = ? ORDER BY version DESC LIMIT 1',
      model,
    ) as readonly { id: number; version: number }[];
    if (!row) throw new SluiceError('internal', 'A new model version is not there.');
    for (const tag of tags) this.rows.setTag(TAGS, row.id, tag);
    return row.version;
  }

  private setStage(id: number, stage: Stage): void {
    this.rows.run(
      'UPDATE registry_versions SET stage = ?, updated_ms = ? WHERE id = ?',
      stage,
      this.nowMs(),
      id,
    );
  }

  private touchModel(version: number): void {
    this.rows.run(
      'UPDATE registry_models SET updated_ms = ? WHERE id = (SELECT model FROM registry_versions WHERE id = ?)',
      ...[this.nowMs(), version],
    );
  }

  private nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }
}

function stageEvents(before: readonly ModelVersion[], moved: number, to: Stage): readonly RegistryEvent[] {
  return before.flatMap(({ model, version, stage: from }) => {
    const stage = version === moved ? to : 'Archived';
    return stage === from ? [] : [{ kind: 'stage-changed', model, version, from, to: stage } as const];
  });
}
