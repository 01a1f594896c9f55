import { useMemo } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import type { LabTableLayout } from '../../../stores';
import { tableItems } from './group-runs';
import type { TableItem } from './group-runs';
import { filterRows } from './run-values';
import { sortRuns } from './sort-runs';
import { lookedAtMs } from '../../../ui/use-now';

export type FilterKind = 'words' | 'query';

interface TableInput {
  readonly rows: readonly LabRunRow[];
  readonly layout: LabTableLayout;
  readonly words: string;
  /** Ids that a query has found; undefined: it does not part them. */
  readonly ids: ReadonlySet<string> | undefined;
  readonly closed: ReadonlySet<string>;
}

/** Lines of the table, each step done again only when something of its own changed. */
export function useTableItems({ rows, layout, words, ids, closed }: TableInput): {
  readonly matching: readonly LabRunRow[];
  readonly items: readonly TableItem[];
} {
  const { sort, group } = layout;
  const found = useMemo(
    () => (ids === undefined ? rows : rows.filter(({ runId }) => ids.has(runId))),
    [rows, ids],
  );
  const matching = useMemo(() => filterRows(found, words), [found, words]);
  const sorted = useMemo(() => sortRuns(matching, sort, lookedAtMs()), [matching, sort]);
  const items = useMemo(() => tableItems(sorted, group, closed), [sorted, group, closed]);
  return { matching, items };
}
