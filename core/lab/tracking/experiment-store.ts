import { SluiceError } from '../../contract';
import type { Clock } from '../../base';
import type { LabDatabase } from '../store/lab-database';
import { badInput, checkExperimentName, checkExperimentTag } from './entity-limits';
import { search, type SearchQuery } from './search/search';
import { EXPERIMENT_TARGET } from './search/search-target';
import { inView, pairReader, pairsAsJson, stageOf, type PairReader } from './rows';
import type { Experiment, KeyValue, Page, ViewType } from './tracking-types';

const COLUMNS = 'id, name, artifact_location, is_deleted, created_ms, updated_ms';
type ExperimentRow = [number, string, string, number, number, number];
/** MLflow's clients log there when no experiment is named. */
const DEFAULT = { id: 0, name: 'Default' };
const DIGITS = /^\d{1,15}$/;

/** Experiments and their tags. Methods that change something are one transaction each. */
export class ExperimentStore {
  private readonly tagsOf: PairReader;

  /** @param artifactRoot an URI; an experiment's artifacts lie in the folder of its id below it. */
  constructor(
    private readonly database: LabDatabase,
    private readonly clock: Clock,
    private readonly artifactRoot: string,
  ) {
    this.tagsOf = pairReader(database, 'tracking_experiment_tags', 'experiment');
    const nowMs = this.nowMs();
    database
      .prepare('INSERT OR IGNORE INTO tracking_experiments VALUES (?, ?, ?, 0, ?, ?)')
      .run([DEFAULT.id, DEFAULT.name, this.locationOf(DEFAULT.id), nowMs, nowMs]);
  }

  /** @returns its id. @throws SluiceError `conflict` for a name that is taken, `bad-input`. */
  create(
    name: string,
    options: { artifactLocation?: string | undefined; tags?: readonly KeyValue[] } = {},
  ): string {
    const { artifactLocation, tags = [] } = options;
    checkExperimentName(name);
    tags.forEach((tag, index) => checkExperimentTag(tag, `tags[${index}]`));
    return this.database.transaction(() => {
      this.refuseTaken(name);
      const nowMs = this.nowMs();
      const { lastInsertRowid: id } = this.database
        .prepare(
          'INSERT INTO tracking_experiments (name, artifact_location, created_ms, updated_ms) VALUES (?, ?, ?, ?)',
        )
        .run([name, artifactLocation ?? '', nowMs, nowMs]);
      if (!artifactLocation) {
        this.database
          .prepare('UPDATE tracking_experiments SET artifact_location = ? WHERE id = ?')
          .run([this.locationOf(Number(id)), id]);
      }
      this.writeTags(Number(id), tags);
      return String(id);
    });
  }

  /** @throws SluiceError `not-found`. */
  get(experimentId: string): Experiment {
    return this.byNumbers([this.numberOf(experimentId)])[0]!;
  }

  /** Deleted ones too. @throws SluiceError `not-found`. */
  getByName(name: string): Experiment {
    const [row] = this.database
      .prepare('SELECT id FROM tracking_experiments WHERE name = ?')
      .raw()
      .all([name]) as [number][];
    if (!row) throw new SluiceError('not-found', `There is no experiment named ${JSON.stringify(name)}.`);
    return this.byNumbers([row[0]])[0]!;
  }

  /** @throws SluiceError `not-found`, `conflict` for a name that is taken, `bad-input` (a deleted experiment). */
  rename(experimentId: string, name: string): void {
    checkExperimentName(name);
    this.database.transaction(() => {
      const experiment = this.active(experimentId);
      if (name === experiment.name) return;
      this.refuseTaken(name);
      this.database
        .prepare('UPDATE tracking_experiments SET name = ?, updated_ms = ? WHERE id = ?')
        .run([name, this.nowMs(), experimentId]);
    });
  }

  /** Marks it and its runs as deleted. @throws SluiceError `not-found`, also for one that is deleted already. */
  delete(experimentId: string): void {
    this.mark(experimentId, 1);
  }

  /** Brings it and its runs back. @throws SluiceError `not-found`, also for one that is not deleted. */
  restore(experimentId: string): void {
    this.mark(experimentId, 0);
  }

  /** @throws SluiceError `not-found`, `bad-input` (a deleted experiment; MLflow's limits). */
  setTag(experimentId: string, tag: KeyValue): void {
    checkExperimentTag(tag, 'tag');
    this.database.transaction(() => {
      this.active(experimentId);
      this.writeTags(Number(experimentId), [tag]);
    });
  }

  /** @throws SluiceError `not-found`, also for a key it does not have. */
  deleteTag(experimentId: string, key: string): void {
    this.database.transaction(() => {
      this.active(experimentId);
      const { changes } = this.database
        .prepare('DELETE FROM tracking_experiment_tags WHERE experiment = ? AND key = ?')
        .run([experimentId, key]);
      if (changes > 0) return;
      throw new SluiceError('not-found', `Experiment ${experimentId} has no tag ${JSON.stringify(key)}.`);
    });
  }

  /** @throws SluiceError `not-found`, `bad-input` for a deleted one. */
  active(experimentId: string): Experiment {
    const experiment = this.get(experimentId);
    if (experiment.lifecycleStage === 'active') return experiment;
    throw badInput(`Experiment ${experimentId} is deleted. Restore it first.`);
  }

  /**
   * Those that a filter describes, newest first if not ordered otherwise.
   * @throws SluiceError `bad-input` that says where in the filter or order.
   */
  search(query: SearchQuery & { readonly viewType?: ViewType | undefined }): Page<Experiment> {
    const { viewType = 'ACTIVE_ONLY' } = query;
    const { numbers, ...rest } = search(this.database, EXPERIMENT_TARGET, [inView(viewType)], query);
    return { items: this.byNumbers(numbers), ...rest };
  }

  /** In the order of the numbers; those that are not there are left out. */
  byNumbers(numbers: readonly number[]): readonly Experiment[] {
    const rows = this.database
      .prepare(`SELECT ${COLUMNS} FROM tracking_experiments WHERE id IN (SELECT value FROM json_each(?))`)
      .raw()
      .all([JSON.stringify(numbers)]) as ExperimentRow[];
    const byNumber = new Map(rows.map((row) => [row[0], row]));
    const tags = this.tagsOf(numbers);
    return numbers.flatMap((number) => {
      const row = byNumber.get(number);
      return row ? [experimentOf(row, tags.get(number) ?? [])] : [];
    });
  }

  /** @throws SluiceError `not-found`. */
  private numberOf(experimentId: string): number {
    const number = DIGITS.test(experimentId) ? Number(experimentId) : -1;
    const found = this.database.prepare('SELECT 1 FROM tracking_experiments WHERE id = ?').all([number]);
    if (found.length > 0) return number;
    throw new SluiceError('not-found', `There is no experiment with the id ${JSON.stringify(experimentId)}.`);
  }

  private refuseTaken(name: string): void {
    const [row] = this.database
      .prepare('SELECT id, is_deleted FROM tracking_experiments WHERE name = ?')
      .raw()
      .all([name]) as [number, number][];
    if (!row) return;
    const [id, isDeleted] = row;
    const hint = isDeleted ? 'It is deleted: restore it or choose another name.' : 'Choose another name.';
    throw new SluiceError(
      'conflict',
      `There is an experiment named ${JSON.stringify(name)} already, with the id ${id}. ${hint}`,
    );
  }

  private mark(experimentId: string, isDeleted: 0 | 1): void {
    this.database.transaction(() => {
      const { lifecycleStage } = this.get(experimentId);
      if (lifecycleStage === stageOf(isDeleted)) {
        throw new SluiceError('not-found', `Experiment ${experimentId} is ${lifecycleStage} already.`);
      }
      this.database
        .prepare('UPDATE tracking_experiments SET is_deleted = ?, updated_ms = ? WHERE id = ?')
        .run([isDeleted, this.nowMs(), experimentId]);
      this.database
        .prepare('UPDATE tracking_runs SET is_deleted = ? WHERE experiment = ?')
        .run([isDeleted, experimentId]);
    });
  }

  private writeTags(number: number, tags: readonly KeyValue[]): void {
    this.database
      .prepare(
        'INSERT INTO tracking_experiment_tags SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true ' +
          'ON CONFLICT DO UPDATE SET value = excluded.value',
      )
      .run([number, pairsAsJson(tags)]);
    this.database
      .prepare('UPDATE tracking_experiments SET updated_ms = ? WHERE id = ?')
      .run([this.nowMs(), number]);
  }

  private locationOf(number: number): string {
    return `${this.artifactRoot.replace(/\/$/, '')}/${number}`;
  }

  private nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }
}

function experimentOf(row: ExperimentRow, tags: readonly KeyValue[]): Experiment {
  const [id, name, artifactLocation, isDeleted, createdMs, updatedMs] = row;
  return {
    experimentId: String(id),
    name,
    artifactLocation,
    lifecycleStage: stageOf(isDeleted),
    createdMs,
    updatedMs,
    tags,
  };
}
