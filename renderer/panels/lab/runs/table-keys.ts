import type { TableItem } from './group-runs';
import { groupId } from './group-runs';

/** What a line is called, for as long as it is there. */
export function itemId(item: TableItem): string {
  return item.kind === 'run' ? item.row.runId : `group${groupId(item.group.value)}`;
}

/** Line to which a key moves from `at`; undefined: it moves nothing. `page`: lines in view. */
export function movedTo(key: string, at: number, count: number, page: number): number | undefined {
  if (count === 0) return undefined;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  return to === undefined ? undefined : Math.min(count - 1, Math.max(0, to));
}

/** The head of the group that line `at` is in. */
export function headOf(items: readonly TableItem[], at: number): number | undefined {
  for (let index = at; index >= 0; index--) if (items[index]?.kind === 'group') return index;
  return undefined;
}
