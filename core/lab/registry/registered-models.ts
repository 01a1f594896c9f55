import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import { checkDescription, checkModelName, checkTag, checkTagKey, isPrompt, quote, type Tag } from './names';
import type { RegistryListeners } from './registry-events';
import type { RegisteredModel, RegistryRows } from './registry-rows';
import { offsetOf, pageOf, searchSql, type Page, type RegistrySearch, type Searchable } from './search-sql';

const TAGS = 'registry_model_tags';

const SEARCHABLE: Searchable = {
  attributes: new Map([['name', { sql: 'm.name', type: 'list' }]]),
  orders: new Map([
    ['name', 'm.name'],
    ['creation_timestamp', 'm.created_ms'],
    ['last_updated_timestamp', 'm.updated_ms'],
    ['timestamp', 'm.updated_ms'],
  ]),
  defaultOrder: ['name'],
  tieBreakers: ['m.name ASC'],
  tagTable: TAGS,
  owner: 'm.id',
};

/** The names under which versions are registered. Wrong names and texts are `bad-input`, unknown models `not-found`. */
export class RegisteredModels {
  constructor(
    private readonly database: LabDatabase,
    private readonly rows: RegistryRows,
    private readonly clock: Clock,
    private readonly listeners: RegistryListeners,
  ) {}

  /** @throws SluiceError `conflict` when the name is taken. */
  create(name: string, tags: readonly Tag[] = [], description = ''): RegisteredModel {
    checkModelName(name);
    checkDescription(description);
    tags.forEach(checkTag);
    this.database.transaction(() => {
      this.refuseTaken(name, isPrompt(tags));
      const nowMs = this.nowMs();
      this.rows.run(
        `INSERT INTO registry_models (name, created_ms, updated_ms, description, last_version) VALUES (?, ?, ?, ?, 0)`,
        ...[name, nowMs, nowMs, description],
      );
      const id = this.rows.modelId(name);
      for (const tag of tags) this.rows.setTag(TAGS, id, tag);
    });
    return this.get(name);
  }

  get(name: string): RegisteredModel {
    const [model] = this.rows.models([this.rows.modelId(name)]);
    if (model) return model;
    throw new SluiceError('internal', `Registered model ${quote(name)} was removed while it was read.`);
  }

  /** Sets its description. */
  update(name: string, description: string): RegisteredModel {
    checkDescription(description);
    const id = this.rows.modelId(name);
    this.database.transaction(() =>
      this.rows.run(
        'UPDATE registry_models SET description = ?, updated_ms = ? WHERE id = ?',
        ...[description, this.nowMs(), id],
      ),
    );
    return this.get(name);
  }

  /** @throws SluiceError `conflict` when the new name is taken. */
  rename(name: string, newName: string): RegisteredModel {
    checkModelName(newName);
    const id = this.rows.modelId(name);
    if (newName === name) return this.get(name);
    this.database.transaction(() => {
      this.refuseTaken(newName, false);
      const nowMs = this.nowMs();
      this.rows.run('UPDATE registry_models SET name = ?, updated_ms = ? WHERE id = ?', newName, nowMs, id);
      this.rows.run('UPDATE registry_versions SET updated_ms = ? WHERE model = ?', nowMs, id);
    });
    this.listeners.tell([{ kind: 'model-renamed', model: name, newName }]);
    return this.get(newName);
  }

  /** Removes it with its versions; the files they name stay. */
  remove(name: string): void {
    const id = this.rows.modelId(name);
    this.database.transaction(() => this.rows.run('DELETE FROM registry_models WHERE id = ?', id));
    this.listeners.tell([{ kind: 'model-removed', model: name }]);
  }

  search(search: RegistrySearch): Page<RegisteredModel> {
    const { where, parameters, orderBy } = searchSql(search, SEARCHABLE);
    const offset = offsetOf(search.pageToken);
    const ids = this.rows.ids(
      `SELECT m.id FROM registry_models m WHERE ${where} ORDER BY ${orderBy} LIMIT ? OFFSET ?`,
      ...[...parameters, search.maxResults + 1, offset],
    );
    const { items, ...rest } = pageOf(ids, offset, search.maxResults);
    return { items: this.rows.models(items), ...rest };
  }

  setTag(name: string, tag: Tag): void {
    checkTag(tag);
    const id = this.rows.modelId(name);
    this.database.transaction(() => this.rows.setTag(TAGS, id, tag));
  }

  /** Of a tag that is not there, nothing happens. */
  removeTag(name: string, key: string): void {
    checkTagKey(key);
    const id = this.rows.modelId(name);
    this.database.transaction(() => this.rows.removeTag(TAGS, id, key));
  }

  private refuseTaken(name: string, forPrompt: boolean): void {
    const id = this.rows.findModelId(name);
    if (id === undefined) return;
    const [model] = this.rows.models([id]);
    const what = model && isPrompt(model.tags) ? 'Prompt' : 'Registered model';
    const other = what === 'Prompt' && !forPrompt ? ' Prompts and models share their names.' : '';
    throw new SluiceError('conflict', `${what} ${quote(name)} already exists; choose another name.${other}`, {
      name,
    });
  }

  private nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }
}
