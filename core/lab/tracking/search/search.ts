import type { LabDatabase } from '../../store/lab-database';
import { badInput } from '../entity-limits';
import { parseFilter, parseOrderClause, type OrderClause } from './filter-parser';
import { fingerprintOf, pageTokenOf, parsePageToken, type SortValue } from './page-token';
import { canOrderBy, conditionOf, orderColumnsOf, type OrderColumn, type Sql } from './search-sql';
import type { SearchTarget } from './search-target';

/** As many as MLflow gives at most, and if nothing is said. */
const MOST_RESULTS = 50_000;
const DEFAULT_RESULTS = 1000;

export interface SearchQuery {
  readonly filter?: string | undefined;
  /** As texts, `metrics.loss DESC`. */
  readonly orderBy?: readonly string[] | undefined;
  readonly maxResults?: number | undefined;
  readonly pageToken?: string | undefined;
}

export interface FoundNumbers {
  readonly numbers: readonly number[];
  readonly nextPageToken?: string;
}

/**
 * Looks for the numbers of what a filter describes.
 * @param scope what is searched at all, part of every query.
 * @throws SluiceError `bad-input` that says where in the filter or order, what was expected and found.
 */
export function search(
  database: LabDatabase,
  target: SearchTarget,
  scope: readonly Sql[],
  query: SearchQuery,
): FoundNumbers {
  const { filter = '', orderBy = [], maxResults = DEFAULT_RESULTS, pageToken } = query;
  if (maxResults < 1 || maxResults > MOST_RESULTS) {
    throw badInput(`max_results: expected 1 to ${MOST_RESULTS}, found ${maxResults}.`);
  }
  const conditions = [...scope, ...parseFilter(filter, target).map((one) => conditionOf(one, target))];
  const columns = columnsOf(orderBy, target);
  const fingerprint = fingerprintOf([target.what, filter, orderBy, scope]);
  const after = pageToken
    ? afterSql(columns, parsePageToken(pageToken, fingerprint, columns.length))
    : { sql: 'true', args: [] };
  const names = columns.map((_, index) => `k${index}`);
  const where = conditions.map(({ sql }) => sql).join(' AND ');
  const sorted = columns.map(({ isDescending }, index) => `k${index}${isDescending ? ' DESC' : ''}`);
  const rows = database
    .prepare(
      `SELECT number, ${names.join(', ')} FROM (` +
        `SELECT r.${target.number} AS number, ${columns.map(({ sql }, index) => `${sql} AS k${index}`).join(', ')} ` +
        `FROM ${target.table} r WHERE ${where}) WHERE ${after.sql} ORDER BY ${sorted.join(', ')} LIMIT ?`,
    )
    .raw()
    .all([...argsOf(columns), ...argsOf(conditions), ...after.args, maxResults + 1]) as [
    number,
    ...SortValue[],
  ][];
  const page = rows.slice(0, maxResults);
  const numbers = page.map(([number]) => number);
  if (rows.length <= maxResults) return { numbers };
  const [, ...last] = page.at(-1)!;
  return { numbers, nextPageToken: pageTokenOf(fingerprint, last) };
}

function columnsOf(orderBy: readonly string[], target: SearchTarget): readonly OrderColumn[] {
  const clauses = orderBy.map((text) => orderClauseOf(text, target));
  refuseTwice(clauses);
  const defaults = target.defaultOrder.flatMap(({ sql, isDescending }) => [
    { sql: `(${sql} IS NULL)`, args: [], isDescending: false },
    { sql, args: [], isDescending },
  ]);
  return [...clauses.flatMap((clause) => orderColumnsOf(clause, target)), ...defaults];
}

function orderClauseOf(text: string, target: SearchTarget): OrderClause {
  const clause = parseOrderClause(text, target);
  if (canOrderBy(clause.field)) return clause;
  throw badInput(`order_by: expected an attribute, a metric, a param or a tag, found \`${text}\`.`);
}

function refuseTwice(clauses: readonly OrderClause[]): void {
  const names = clauses.map(({ field }) => `${field.group}.${field.key}`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw badInput(`order_by: expected each field once, found ${twice} twice.`);
}

/** All that comes after the row with these values. */
function afterSql(
  columns: readonly OrderColumn[],
  values: readonly SortValue[],
): { sql: string; args: SortValue[] } {
  let sql = 'false';
  const args: SortValue[] = [];
  for (let index = columns.length - 1; index >= 0; index--) {
    sql = `(k${index} ${columns[index]!.isDescending ? '<' : '>'} ? OR (k${index} IS ? AND ${sql}))`;
    args.unshift(values[index]!, values[index]!);
  }
  return { sql, args };
}

function argsOf(pieces: readonly Sql[]): (string | number)[] {
  return pieces.flatMap(({ args }) => args);
}
