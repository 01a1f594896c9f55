import type { LabDatabase } from '../store/lab-database';
import type { Sql } from './search/search-sql';
import type { KeyValue, LifecycleStage, ViewType } from './tracking-types';

/** So that one row never holds all of a large page. */
const OWNERS_PER_QUERY = 500;

/** Reads the keys and values of many owners with few crossings into SQLite, each owner's in the order of the keys. */
export type PairReader = (owners: readonly number[]) => ReadonlyMap<number, readonly KeyValue[]>;

export function pairReader(database: LabDatabase, table: string, column: string): PairReader {
  const read = rowReader(database, `json_array(${column}, key, value)`, table, column);
  return (owners) => {
    const pairs = new Map<number, KeyValue[]>();
    for (const [owner, key, value] of read(owners) as [number, string, string][]) {
      const own = pairs.get(owner);
      if (own) own.push({ key, value });
      else pairs.set(owner, [{ key, value }]);
    }
    return pairs;
  };
}

/** One JSON value a row. */
export type RowReader = (owners: readonly number[]) => readonly unknown[];

/** @param row a JSON expression over `from`. */
export function rowReader(database: LabDatabase, row: string, from: string, column: string): RowReader {
  const statement = database
    .prepare(
      `SELECT json_group_array(${row}) FROM ${from} WHERE ${column} IN (SELECT value FROM json_each(?))`,
    )
    .raw();
  return (owners) => {
    const rows: unknown[] = [];
    for (let from = 0; from < owners.length; from += OWNERS_PER_QUERY) {
      const some = JSON.stringify(owners.slice(from, from + OWNERS_PER_QUERY));
      const [[text]] = statement.all([some]) as [[string]];
      for (const one of JSON.parse(text) as unknown[]) rows.push(one);
    }
    return rows;
  };
}

/**
 * As `json_each` takes them. Halves of surrogate pairs become replacement characters: SQLite would make invalid UTF-8 of
 * them, and libsql ends the whole process when it reads that.
 */
export function pairsAsJson(pairs: readonly KeyValue[]): string {
  return JSON.stringify(pairs.map(({ key, value }) => [wellFormed(key), wellFormed(value)]));
}

export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** libsql gives blobs as one or the other. */
export function bytesOf(blob: Uint8Array | ArrayBuffer): Uint8Array {
  return blob instanceof Uint8Array ? blob : new Uint8Array(blob);
}

export function stageOf(isDeleted: number): LifecycleStage {
  return isDeleted === 0 ? 'active' : 'deleted';
}

const DELETED_IN_VIEW: Readonly<Record<ViewType, readonly number[]>> = {
  ACTIVE_ONLY: [0],
  DELETED_ONLY: [1],
  ALL: [0, 1],
};

export function inView(view: ViewType): Sql {
  return oneOf('r.is_deleted', DELETED_IN_VIEW[view]);
}

/** Ids of experiments that are none find nothing. */
export function inExperiments(experimentIds: readonly string[]): Sql {
  return oneOf('r.experiment', experimentIds.filter((id) => /^\d{1,15}$/.test(id)).map(Number));
}

function oneOf(column: string, values: readonly number[]): Sql {
  return { sql: `${column} IN (SELECT value FROM json_each(?))`, args: [JSON.stringify(values)] };
}
