import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { AreaSchema, LabDatabase } from '../../store/lab-database';

export const SEARCH_SCHEMA: AreaSchema = {
  area: 'search',
  steps: [
    `CREATE TABLE search_searches (
      id TEXT PRIMARY KEY, settings TEXT NOT NULL, state TEXT NOT NULL, reason TEXT, created_ms REAL NOT NULL
    ) STRICT;
    CREATE TABLE search_events (
      search TEXT NOT NULL REFERENCES search_searches (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
      kind TEXT NOT NULL, trial INTEGER NOT NULL, resource REAL, metric REAL, decision TEXT NOT NULL, reason TEXT,
      at_ms REAL NOT NULL, PRIMARY KEY (search, seq)
    ) STRICT, WITHOUT ROWID`,
  ],
};

/** `interrupted`: it can go on, see its reason; `failed`: too many trials did. */
export type SearchState = 'running' | 'interrupted' | 'done' | 'stopped' | 'failed';

/**
 * What happened to a search. `assigned`: the decision is the assignment as JSON; `reported`: the advice; `ended`: the
 * outcome; `freed`: a trial that was told to end has done so.
 */
export interface SearchEvent {
  readonly kind: 'assigned' | 'reported' | 'ended' | 'freed';
  readonly trial: number;
  readonly resource?: number;
  /** NaN for a trial that diverged. */
  readonly metric?: number;
  readonly decision: string;
  readonly reason?: string;
}

export interface StoredSearch {
  readonly id: string;
  readonly settings: unknown;
  readonly state: SearchState;
  readonly reason?: string;
  /** Since the Unix epoch. */
  readonly createdMs: number;
}

const searchRow = z.object({
  id: z.string(),
  settings: z.string(),
  state: z.enum(['running', 'interrupted', 'done', 'stopped', 'failed']),
  reason: z.string().nullable(),
  created_ms: z.number(),
});
const eventRow = z.object({
  kind: z.enum(['assigned', 'reported', 'ended', 'freed']),
  trial: z.number(),
  resource: z.number().nullable(),
  metric: z.number().nullable(),
  decision: z.string(),
  reason: z.string().nullable(),
});
const ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/;

/** Searches and their history, in the area `search`. */
export class SearchStore {
  private readonly insertSearch;
  private readonly selectSearch;
  private readonly selectAll;
  private readonly updateState;
  private readonly insertEvent;
  private readonly selectEvents;
  private readonly deleteEvents;
  private readonly deleteSearch;

  constructor(private readonly database: LabDatabase) {
    const columns = 'id, settings, state, reason, created_ms';
    this.insertSearch = database.prepare(
      "INSERT INTO search_searches (id, settings, state, created_ms) VALUES (?, ?, 'interrupted', ?) ON CONFLICT DO NOTHING",
    );
    this.selectSearch = database.prepare(`SELECT ${columns} FROM search_searches WHERE id = ?`);
    this.selectAll = database.prepare(`SELECT ${columns} FROM search_searches ORDER BY created_ms DESC, id`);
    this.updateState = database.prepare('UPDATE search_searches SET state = ?, reason = ? WHERE id = ?');
    this.insertEvent = database.prepare('INSERT INTO search_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.selectEvents = database.prepare(
      'SELECT kind, trial, resource, metric, decision, reason FROM search_events WHERE search = ? ORDER BY seq',
    );
    this.deleteEvents = database.prepare('DELETE FROM search_events WHERE search = ?');
    this.deleteSearch = database.prepare('DELETE FROM search_searches WHERE id = ?');
  }

  /**
   * @param id letters, digits and hyphens, at most 40.
   * @param settings as `parseSearch` takes them; checked by whoever calls.
   * @throws SluiceError `bad-input`, `conflict` when there is one of that name.
   */
  add(id: string, settings: unknown, nowMs: number): void {
    if (!ID.test(id)) {
      const message = `A search is named with letters, digits and hyphens, at most 40; found "${id.slice(0, 60)}".`;
      throw new SluiceError('bad-input', message, { id: id.slice(0, 60) });
    }
    const { changes } = this.insertSearch.run(id, JSON.stringify(settings), nowMs);
    if (changes === 0) {
      throw new SluiceError('conflict', `There is a search "${id}" already. Choose another name.`, { id });
    }
  }

  /** @throws SluiceError `not-found`. */
  get(id: string): StoredSearch {
    const row: unknown = this.selectSearch.get(id);
    if (!row)
      throw new SluiceError('not-found', `There is no search "${id.slice(0, 60)}".`, { id: id.slice(0, 60) });
    return searchOf(row);
  }

  /** The newest first. */
  list(): readonly StoredSearch[] {
    return this.selectAll.all().map(searchOf);
  }

  setState(id: string, state: SearchState, reason?: string): void {
    this.updateState.run(state, reason ?? null, id);
  }

  /** @param seq 0, 1, ... without a gap. */
  append(id: string, seq: number, event: SearchEvent, nowMs: number): void {
    const { kind, trial, resource, metric, decision, reason } = event;
    const stored = metric !== undefined && Number.isFinite(metric) ? metric : null;
    this.insertEvent.run(id, seq, kind, trial, resource ?? null, stored, decision, reason ?? null, nowMs);
  }

  /** In the order they happened. */
  events(id: string): readonly SearchEvent[] {
    return this.selectEvents.all(id).map((row) => {
      const { kind, trial, resource, metric, decision, reason } = eventRow.parse(row);
      const reported = kind === 'reported' ? { resource: resource ?? 0, metric: metric ?? NaN } : {};
      return { kind, trial, decision, ...reported, ...(reason === null ? {} : { reason }) };
    });
  }

  remove(id: string): void {
    this.database.transaction(() => {
      this.deleteEvents.run(id);
      this.deleteSearch.run(id);
    });
  }
}

function searchOf(row: unknown): StoredSearch {
  const { id, settings, state, reason, created_ms: createdMs } = searchRow.parse(row);
  const parsed: unknown = JSON.parse(settings);
  return { id, settings: parsed, state, createdMs, ...(reason === null ? {} : { reason }) };
}
