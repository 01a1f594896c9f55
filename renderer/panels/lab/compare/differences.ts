import type { LabRunRow } from '../../../../core/contract';
import { compareKeys, sortKey } from '../runs/sort-runs';

/** One thing in which runs differ. */
export interface Difference {
  /** `dataset`, `params.lr`, `args.--lr`. */
  readonly what: string;
  /** By run; undefined: it has none. */
  readonly values: readonly (string | undefined)[];
}

/** Words of a command line by their name: `--lr 0.1`, `--lr=0.1`, a flag, and the others by their place. */
export function parsedArguments(program: string): ReadonlyMap<string, string> {
  const [entry = '', ...words] = program.split(/\s+/).filter(Boolean);
  const named = new Map([['program', entry]]);
  let place = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!/^--?[A-Za-z]/.test(word)) {
      named.set(`args.${++place}`, word);
      continue;
    }
    const equals = word.indexOf('=');
    const next = words[at + 1];
    if (equals > 0) named.set(`args.${word.slice(0, equals)}`, word.slice(equals + 1));
    else if (next !== undefined && !/^--?[A-Za-z]/.test(next)) {
      named.set(`args.${word}`, next);
      at++;
    } else named.set(`args.${word}`, 'given');
  }
  return named;
}

const FIXED = ['user', 'dataset', 'experiment', 'search', 'parent', 'engine'] as const;

function factsOf(row: LabRunRow): ReadonlyMap<string, string> {
  const facts = new Map<string, string>(parsedArguments(row.program ?? ''));
  for (const key of FIXED) {
    const value = row[key];
    if (value !== undefined) facts.set(key, value);
  }
  for (const [name, value] of Object.entries(row.params)) facts.set(`params.${name}`, value);
  for (const [name, value] of Object.entries(row.tags)) facts.set(`tags.${name}`, value);
  return facts;
}

/** What the runs do not have in common, by name; what all have alike is left out. */
export function differences(rows: readonly LabRunRow[]): readonly Difference[] {
  const facts = rows.map(factsOf);
  const names = new Set(facts.flatMap((each) => [...each.keys()]));
  return [...names]
    .map((what) => ({ what, values: facts.map((each) => each.get(what)) }))
    .filter(({ values }) => new Set(values).size > 1)
    .sort((a, b) => compareKeys(sortKey(a.what), sortKey(b.what), false));
}
