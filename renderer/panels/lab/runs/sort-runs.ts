import type { LabRunRow } from '../../../../core/contract';
import { valueOf } from './run-values';
import type { RunValue } from './run-values';

export interface RunOrder {
  readonly key: string;
  readonly isDescending: boolean;
}

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;
/** Digits of a name are compared as the number they are, if it has no more digits than this. */
const MOST_DIGITS = 12;

const naturals = new Map<string, string>();
const MOST_KEPT = 200_000;

/** A text whose order by code units is that of names with numbers in them: `digits/9` before `digits/10`. */
function natural(text: string): string {
  const known = naturals.get(text);
  if (known !== undefined) return known;
  const key = text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(MOST_DIGITS, '0'));
  if (naturals.size >= MOST_KEPT) naturals.clear();
  naturals.set(text, key);
  return key;
}

/** Numbers come before texts, then NaN, then what is absent; the last two in either direction. */
export type SortKey = number | string | undefined;

/** A text that is a number is compared as one. */
export function sortKey(value: RunValue): SortKey {
  if (typeof value !== 'string') return value;
  return NUMBER.test(value) ? Number(value) : natural(value);
}

function rank(key: SortKey): number {
  if (typeof key === 'number') return Number.isNaN(key) ? 2 : 0;
  return key === undefined ? 3 : 1;
}

export function compareKeys(a: SortKey, b: SortKey, isDescending: boolean): number {
  const byRank = rank(a) - rank(b);
  if (byRank !== 0 || a === b || a === undefined || b === undefined) return byRank;
  const ascending = a < b ? -1 : a > b ? 1 : 0;
  return isDescending ? -ascending : ascending;
}

/** Equal rows keep the order they came in. */
export function sortRuns(
  rows: readonly LabRunRow[],
  { key, isDescending }: RunOrder,
  nowMs: number,
): readonly LabRunRow[] {
  // They come in this order.
  if (key === 'created' && isDescending) return rows;
  const keyed = rows.map((row) => ({ row, key: sortKey(valueOf(row, key, nowMs)) }));
  keyed.sort((a, b) => compareKeys(a.key, b.key, isDescending));
  return keyed.map(({ row }) => row);
}
