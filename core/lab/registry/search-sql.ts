import { z } from 'zod';

import { SluiceError } from '../../contract';
import { parseFilter, type Comparator, type Condition } from './filter';
import { PROMPT_TAG, quote } from './names';

export interface RegistrySearch {
  /** MLflow's syntax; empty for all. */
  readonly filter: string;
  /** `name ASC`, `last_updated_timestamp DESC`, ... */
  readonly orderBy: readonly string[];
  readonly maxResults: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly nextPageToken?: string;
}

interface Column {
  readonly sql: string;
  readonly type: 'text' | 'list' | 'number';
}

/** What can be searched, and how it is called in SQL. */
export interface Searchable {
  readonly attributes: ReadonlyMap<string, Column>;
  readonly orders: ReadonlyMap<string, string>;
  /** Of MLflow, when none is asked for. */
  readonly defaultOrder: readonly string[];
  /** Make every order a total one. */
  readonly tieBreakers: readonly string[];
  readonly tagTable: string;
  /** SQL of the id that owns the tags. */
  readonly owner: string;
}

export interface SearchSql {
  readonly where: string;
  readonly parameters: readonly (string | number)[];
  readonly orderBy: string;
}

const BY_TYPE: Readonly<Record<Column['type'] | 'tag', readonly Comparator[]>> = {
  tag: ['=', '!=', 'LIKE', 'ILIKE'],
  text: ['=', '!=', 'LIKE', 'ILIKE'],
  list: ['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'],
  number: ['=', '!=', '<', '<=', '>', '>='],
};

/** Nothing of a filter becomes SQL but the names listed in `searchable`. @throws SluiceError `bad-input`. */
export function searchSql({ filter, orderBy }: RegistrySearch, searchable: Searchable): SearchSql {
  const conditions = parseFilter(filter);
  const parts = conditions.map((condition) =>
    condition.kind === 'tag' ? tagSql(condition, searchable) : attributeSql(condition, searchable),
  );
  // Prompts are kept as models; those who don't ask for them are looking for models.
  if (!conditions.some(({ kind, key }) => kind === 'tag' && key === PROMPT_TAG)) {
    parts.push(tagSql({ kind: 'tag', key: PROMPT_TAG, comparator: '!=', value: 'true' }, searchable));
  }
  return {
    where: parts.map(({ sql }) => sql).join(' AND '),
    parameters: parts.flatMap(({ parameters }) => parameters),
    orderBy: orderSql(orderBy, searchable),
  };
}

interface Part {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

function attributeSql({ key, comparator, value }: Condition, { attributes }: Searchable): Part {
  const column = attributes.get(key);
  if (!column) throw fault(`an attribute (${[...attributes.keys()].join(', ')})`, quote(key));
  refuseComparator(key, comparator, BY_TYPE[column.type]);
  if (column.type !== 'number') return comparison(column.sql, comparator, textOf(key, value));
  const number = typeof value === 'object' ? NaN : Number(value);
  if (!Number.isSafeInteger(number)) throw fault(`a whole number for ${key}`, quote(JSON.stringify(value)));
  return { sql: `${column.sql} ${comparator} ?`, parameters: [number] };
}

function tagSql({ key, comparator, value }: Condition, { tagTable, owner }: Searchable): Part {
  refuseComparator(`tags.${key.slice(0, 200)}`, comparator, BY_TYPE.tag);
  const { sql, parameters } = comparison('value', comparator, textOf(key, value));
  const found = `FROM ${tagTable} WHERE owner = ${owner} AND key = ?`;
  if (key !== PROMPT_TAG)
    return { sql: `EXISTS (SELECT 1 ${found} AND ${sql})`, parameters: [key, ...parameters] };
  // Models do not have this tag, and are no prompts.
  const tag = comparison(`COALESCE((SELECT value ${found}), 'false')`, comparator, textOf(key, value));
  return { sql: tag.sql, parameters: [key, ...tag.parameters] };
}

function comparison(column: string, comparator: Comparator, value: string | readonly string[]): Part {
  if (typeof value === 'object') {
    return {
      sql: `${column} ${comparator} (SELECT value FROM json_each(?))`,
      parameters: [JSON.stringify(value)],
    };
  }
  // LIKE of SQLite takes capitals for small letters, as MLflow's ILIKE does; its GLOB does not.
  if (comparator === 'LIKE') return { sql: `${column} GLOB ?`, parameters: [globOf(value)] };
  return { sql: `${column} ${comparator === 'ILIKE' ? 'LIKE' : comparator} ?`, parameters: [value] };
}

function globOf(like: string): string {
  return like.replace(/[*?[%_]/g, (one) => (one === '%' ? '*' : one === '_' ? '?' : `[${one}]`));
}

function textOf(key: string, value: Condition['value']): string | readonly string[] {
  if (typeof value !== 'number') return value;
  throw fault(`a value in quotes for ${quote(key)}`, String(value));
}

function refuseComparator(key: string, comparator: Comparator, allowed: readonly Comparator[]): void {
  if (!allowed.includes(comparator)) throw fault(`${allowed.join(', ')} after ${key}`, comparator);
}

function orderSql(orderBy: readonly string[], { orders, defaultOrder, tieBreakers }: Searchable): string {
  const terms = (orderBy.length === 0 ? defaultOrder : orderBy).map((term) => {
    const [, , key = '', direction = 'asc'] =
      /^\s*(?:attributes?\.)?(["`]?)(\w+)\1(?:\s+(asc|desc))?\s*$/i.exec(term) ?? [];
    const column = orders.get(key);
    if (column !== undefined) return { column, sql: `${column} ${direction.toUpperCase()}` };
    throw orderFault(`one of ${[...orders.keys()].join(', ')}, with ASC or DESC`, quote(term));
  });
  if (new Set(terms.map(({ column }) => column)).size < terms.length) {
    throw orderFault('each attribute once', quote(orderBy.join(', ')));
  }
  const breakers = tieBreakers.filter((one) => !terms.some(({ column }) => one.startsWith(`${column} `)));
  return [...terms.map(({ sql }) => sql), ...breakers].join(', ');
}

const Token = z.object({ offset: z.int().min(0) });

/** @param token of an earlier page; empty: 0. @throws SluiceError `bad-input`. */
export function offsetOf(token: string): number {
  if (token === '') return 0;
  try {
    return Token.parse(JSON.parse(Buffer.from(token, 'base64').toString('utf8'))).offset;
  } catch (cause) {
    const message = `page_token: expected one from an earlier answer, found ${quote(token)}.`;
    throw new SluiceError('bad-input', message, {}, { cause });
  }
}

/** @param rows one more than asked for when there are others. */
export function pageOf<T>(rows: readonly T[], offset: number, maxResults: number): Page<T> {
  const items = rows.slice(0, maxResults);
  if (rows.length <= maxResults) return { items };
  const token = Buffer.from(JSON.stringify({ offset: offset + maxResults })).toString('base64');
  return { items, nextPageToken: token };
}

function fault(expected: string, found: string): SluiceError {
  return new SluiceError('bad-input', `Filter: expected ${expected}, found ${found}.`);
}

function orderFault(expected: string, found: string): SluiceError {
  return new SluiceError('bad-input', `order_by: expected ${expected}, found ${found}.`);
}
