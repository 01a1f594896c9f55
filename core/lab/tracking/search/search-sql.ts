import type { Comparison, Field, Operator, OrderClause } from './filter-parser';
import { DATASET_FIELDS, type SearchTarget } from './search-target';

/** A piece of SQL whose values stand in `args`; nothing of a filter is ever part of the text. */
export interface Sql {
  readonly sql: string;
  readonly args: readonly (string | number)[];
}

/** A condition on `r`, the target's table. A field that is not there fulfils nothing but IS NULL. */
export function conditionOf(comparison: Comparison, target: SearchTarget): Sql {
  const { field, operator } = comparison;
  const { group, key } = field;
  if (group === 'attributes') return comparing(target.attributes[key]!.sql, comparison);
  const { table, owner } = target.related[group]!;
  const beside = `FROM ${table} WHERE ${owner} = r.${target.number}`;
  if (group === 'datasets') return exists(beside, comparing(`(${DATASET_FIELDS[key]!})`, comparison));
  if (operator === 'IS NULL') return { sql: `NOT EXISTS (SELECT 1 ${beside} AND key = ?)`, args: [key] };
  if (operator === 'IS NOT NULL') return { sql: `EXISTS (SELECT 1 ${beside} AND key = ?)`, args: [key] };
  const { sql, args } = comparing('value', comparison);
  // A metric without a value is NaN, which differs from every number.
  const isNaNToo = group === 'metrics' && operator === '!=' ? ' OR value IS NULL' : '';
  return exists(`${beside} AND key = ?`, { sql: `(${sql}${isNaNToo})`, args: [key, ...args] });
}

/** Two columns to sort by: first those with a value, NaN, and those without; then by value. */
export function orderColumnsOf(
  { field, isDescending }: OrderClause,
  target: SearchTarget,
): readonly OrderColumn[] {
  const value = orderedValue(field, target);
  return [
    { ...rankOf(field, target, value), isDescending: false },
    { ...value, isDescending },
  ];
}

export interface OrderColumn extends Sql {
  readonly isDescending: boolean;
}

function orderedValue({ group, key }: Field, target: SearchTarget): Sql {
  if (group === 'attributes') {
    const { sql, orderSql } = target.attributes[key]!;
    return { sql: orderSql ?? sql, args: [] };
  }
  return { sql: `(SELECT value ${besideFor(group, target)})`, args: [key] };
}

function rankOf(field: Field, target: SearchTarget, { sql, args }: Sql): Sql {
  if (field.group !== 'metrics') return { sql: `(${sql} IS NULL)`, args };
  return { sql: `coalesce((SELECT value IS NULL ${besideFor('metrics', target)}), 2)`, args };
}

function besideFor(group: Exclude<Field['group'], 'attributes'>, target: SearchTarget): string {
  const { table, owner, order } = target.related[group]!;
  const first = order === undefined ? '' : ` ORDER BY ${order}`;
  return `FROM ${table} WHERE ${owner} = r.${target.number} AND key = ?${first} LIMIT 1`;
}

function exists(beside: string, { sql, args }: Sql): Sql {
  return { sql: `EXISTS (SELECT 1 ${beside} AND ${sql})`, args };
}

const PLAIN: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];

function comparing(column: string, { operator, value }: Comparison): Sql {
  if (PLAIN.includes(operator)) return { sql: `${column} ${operator} ?`, args: [value as string | number] };
  if (operator === 'LIKE') return { sql: `${column} GLOB ?`, args: [globOf(value as string)] };
  if (operator === 'ILIKE') return { sql: `${column} LIKE ?`, args: [value as string] };
  return { sql: `${column} ${operator} (SELECT value FROM json_each(?))`, args: [JSON.stringify(value)] };
}

/** SQLite's LIKE knows no case and its GLOB does: MLflow's LIKE is the latter, with other signs. */
function globOf(pattern: string): string {
  return pattern.replace(/[*?[%_]/g, (sign) => (sign === '%' ? '*' : sign === '_' ? '?' : `[${sign}]`));
}

/** A run may have several datasets. */
export function canOrderBy({ group }: Field): boolean {
  return group !== 'datasets';
}
