import type { LabRunRow, LabRunState } from '../../../../core/contract';

/** What a column holds of a run: text or a number; undefined where the run has none. */
export type RunValue = string | number | undefined;

/** Columns that every run has, in the order in which they are offered. */
export const FIXED_KEYS = [
  'state',
  'user',
  'created',
  'duration',
  'dataset',
  'program',
  'experiment',
  'parent',
  'search',
  'engine',
  'node',
  'reason',
] as const;

export type ValueKind = 'params' | 'metrics' | 'tags';

/** Runs that still hold something, or wait for it. */
const OPEN: ReadonlySet<LabRunState> = new Set(['preparing', 'queued', 'running', 'stopping']);

export function isOpen(state: LabRunState): boolean {
  return OPEN.has(state);
}

/** Milliseconds since it began, up to its end or to now; undefined before it began. */
export function durationMs(row: LabRunRow, nowMs: number): number | undefined {
  if (row.startedMs === undefined) return undefined;
  return Math.max(0, (row.endedMs ?? nowMs) - row.startedMs);
}

/** `params.lr` -> its kind and name; undefined: one of the columns that every run has. */
export function partedKey(key: string): { readonly kind: ValueKind; readonly name: string } | undefined {
  const match = /^(params|metrics|tags)\.(.+)$/s.exec(key);
  return match === null ? undefined : { kind: match[1] as ValueKind, name: match[2] ?? '' };
}

export function valueOf(row: LabRunRow, key: string, nowMs: number): RunValue {
  const parted = partedKey(key);
  if (parted !== undefined) return row[parted.kind][parted.name];
  switch (key) {
    case 'created':
      return row.createdMs;
    case 'duration':
      return durationMs(row, nowMs);
    case 'name':
    case 'state':
    case 'user':
    case 'dataset':
    case 'program':
    case 'experiment':
    case 'parent':
    case 'search':
    case 'engine':
    case 'node':
    case 'reason':
      return row[key];
    default:
      return undefined;
  }
}

const texts = new WeakMap<LabRunRow, string>();

/** All that the quick filter looks at, in small letters. */
function searchText(row: LabRunRow): string {
  const known = texts.get(row);
  if (known !== undefined) return known;
  const { name, user, state, dataset, program, experiment, parent, search, engine, node, reason } = row;
  const fixed = [name, user, state, dataset, program, experiment, parent, search, engine, node, reason];
  const named = [...Object.entries(row.params), ...Object.entries(row.tags)].map(
    ([key, value]) => `${key}=${value}`,
  );
  const text = [...fixed.filter((part) => part !== undefined), ...named].join('\n').toLowerCase();
  texts.set(row, text);
  return text;
}

/** Rows that hold every word, wherever: `failed lr=0.1`. */
export function filterRows(rows: readonly LabRunRow[], words: string): readonly LabRunRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return rows;
  return rows.filter((row) => {
    const text = searchText(row);
    return wanted.every((word) => text.includes(word));
  });
}

/** Of these keys the parameters that hold words, by the first run that has them. */
export function textParams(rows: readonly LabRunRow[], keys: readonly string[]): readonly string[] {
  return keys.filter((key) => {
    const parted = partedKey(key);
    if (parted?.kind !== 'params') return false;
    const value = rows.find(({ params }) => parted.name in params)?.params[parted.name];
    return value !== undefined && Number.isNaN(Number(value));
  });
}

/** Names of what the runs have logged, sorted. */
export function loggedNames(rows: readonly LabRunRow[]): Readonly<Record<ValueKind, readonly string[]>> {
  const names = { params: new Set<string>(), metrics: new Set<string>(), tags: new Set<string>() };
  for (const row of rows) {
    for (const key in row.params) names.params.add(key);
    for (const key in row.metrics) names.metrics.add(key);
    for (const key in row.tags) names.tags.add(key);
  }
  const sorted = (set: ReadonlySet<string>): readonly string[] => [...set].sort();
  return { params: sorted(names.params), metrics: sorted(names.metrics), tags: sorted(names.tags) };
}
