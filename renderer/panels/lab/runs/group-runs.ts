import type { LabRunRow, LabRunState } from '../../../../core/contract';
import { valueOf } from './run-values';

export interface RunGroup {
  /** What its runs have in common; undefined: they have nothing there. */
  readonly value: string | undefined;
  readonly rows: readonly LabRunRow[];
  /** How many runs of a state; states without runs are absent. */
  readonly states: ReadonlyMap<LabRunState, number>;
}

/** A line of the table. */
export type TableItem =
  | { readonly kind: 'group'; readonly group: RunGroup; readonly isOpen: boolean }
  | { readonly kind: 'run'; readonly row: LabRunRow };

/** Groups in the order of their first rows, those without a value last. */
export function groupRuns(rows: readonly LabRunRow[], key: string): readonly RunGroup[] {
  const groups = new Map<string | undefined, LabRunRow[]>();
  for (const row of rows) {
    const value = valueOf(row, key, 0);
    const name = value === undefined || value === '' ? undefined : String(value);
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [row]);
    else known.push(row);
  }
  const list = [...groups].map(([value, members]) => ({
    value,
    rows: members,
    states: countStates(members),
  }));
  return [
    ...list.filter(({ value }) => value !== undefined),
    ...list.filter(({ value }) => value === undefined),
  ];
}

function countStates(rows: readonly LabRunRow[]): ReadonlyMap<LabRunState, number> {
  const counts = new Map<LabRunState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** Name under which a group is closed. */
export function groupId(value: string | undefined): string {
  return value === undefined ? '-' : `=${value}`;
}

/** The table's lines from top to bottom. Without a key the runs alone. */
export function tableItems(
  rows: readonly LabRunRow[],
  key: string | undefined,
  closed: ReadonlySet<string>,
): readonly TableItem[] {
  if (key === undefined) return rows.map((row) => ({ kind: 'run', row }));
  return groupRuns(rows, key).flatMap((group): TableItem[] => {
    const isOpen = !closed.has(groupId(group.value));
    const head: TableItem = { kind: 'group', group, isOpen };
    return isOpen ? [head, ...group.rows.map((row): TableItem => ({ kind: 'run', row }))] : [head];
  });
}
