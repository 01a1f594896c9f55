import type { LabRunDifference, LabRunRow } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { strings } from '../../../strings';
import { compareKeys, sortKey } from '../runs/sort-runs';
import type { Difference } from './differences';

const STRINGS = strings.lab.compare;

/** As many runs as the lab is asked about: more columns than that are not read. */
export const MOST_LAUNCHED = 25;

/** Parts of what was launched that rows of the table do not have. */
export type LaunchGroup = 'environment' | 'resources' | 'code';

export type LaunchDifferences = Readonly<Record<LaunchGroup | 'other', readonly Difference[]>>;

/** The runs that are compared in what they were launched with, the one that all others are compared with first. */
export function comparedLaunches(rows: readonly LabRunRow[]): readonly LabRunRow[] {
  return rows.filter(({ isLaunched }) => isLaunched).slice(0, MOST_LAUNCHED);
}

function groupOf(what: string): LaunchGroup | 'other' | undefined {
  const [, group] = /^(environment|resources|code)\./.exec(what) ?? [];
  if (group !== undefined) return group as LaunchGroup;
  // All else stands in the rows.
  return what === 'image' || what === 'checkpoint' ? 'other' : undefined;
}

function shown(what: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (what === 'resources.memoryBytes') return formatBytes(Number(value));
  if (what.startsWith('code.')) return value === 'changed' ? STRINGS.changed : STRINGS.there;
  return value;
}

function nameOf(what: string): string {
  const name = what.replace(/^(?:environment|resources|code)\./, '');
  if (!what.startsWith('resources.')) return name;
  return (STRINGS.resources as Readonly<Record<string, string>>)[name] ?? name;
}

/**
 * What runs do not have in common, from how each differs from the first of those that were launched.
 * @param rows all runs that are compared: those the lab was not asked about have "not known".
 * @param diffs by run id.
 */
export function launchDifferences(
  rows: readonly LabRunRow[],
  diffs: ReadonlyMap<string, readonly LabRunDifference[]>,
): LaunchDifferences {
  const asked = new Set(comparedLaunches(rows).map(({ runId }) => runId));
  const firstValues = new Map<string, string | undefined>();
  for (const { what, from } of [...diffs.values()].flat()) firstValues.set(what, from);
  const byRun = new Map(
    [...diffs].map(([runId, list]) => [runId, new Map(list.map(({ what, to }) => [what, to]))] as const),
  );
  const valueAt = (runId: string, what: string): string | undefined => {
    if (!asked.has(runId)) return STRINGS.unknown;
    const own = byRun.get(runId);
    return shown(what, own?.has(what) === true ? own.get(what) : firstValues.get(what));
  };
  const groups: Record<LaunchGroup | 'other', Difference[]> = {
    environment: [],
    resources: [],
    code: [],
    other: [],
  };
  for (const what of firstValues.keys()) {
    const group = groupOf(what);
    if (group === undefined) continue;
    groups[group].push({ what: nameOf(what), values: rows.map(({ runId }) => valueAt(runId, what)) });
  }
  for (const list of Object.values(groups))
    list.sort((a, b) => compareKeys(sortKey(a.what), sortKey(b.what), false));
  return groups;
}
