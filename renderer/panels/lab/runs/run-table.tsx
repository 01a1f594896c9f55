import { useEffect, useId, useRef } from 'react';
import type { CSSProperties, KeyboardEvent, MouseEvent, ReactNode, RefObject } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { strings } from '../../../strings';
import { toggled, withRange } from './choice';
import { columnLabel, tracksOf, widthOf } from './columns';
import type { RunColumn } from './columns';
import { groupId } from './group-runs';
import type { TableItem } from './group-runs';
import styles from './run-table.module.css';
import type { RunOrder } from './sort-runs';
import { TableHead } from './table-head';
import { headOf, itemId, movedTo } from './table-keys';
import { GroupLine, RunLine } from './table-row';
import { useWindow } from './use-window';

const STRINGS = strings.lab.runs;

export const ROW_PX = 24;

export interface RunTableProps {
  readonly grid: RefObject<HTMLDivElement | null>;
  readonly items: readonly TableItem[];
  readonly columns: readonly RunColumn[];
  readonly order: RunOrder;
  readonly group: string | undefined;
  readonly chosen: ReadonlySet<string>;
  /** Id of the line that keys act on. */
  readonly active: string | undefined;
  readonly onActive: (id: string) => void;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  readonly onOpen: (row: LabRunRow) => void;
  readonly onFold: (group: string, isOpen: boolean) => void;
  readonly onOrder: (order: RunOrder) => void;
  readonly onWidth: (key: string, widthPx: number) => void;
}

function runIdsOf(item: TableItem | undefined): readonly string[] {
  if (item === undefined) return [];
  return item.kind === 'run' ? [item.row.runId] : item.group.rows.map(({ runId }) => runId);
}

/** Without order: as quick for none and for all as for some. */
function howMany(ids: readonly string[], chosen: ReadonlySet<string>): 'none' | 'some' | 'all' {
  if (chosen.size === 0 || ids.length === 0) return 'none';
  const has = ids.some((id) => chosen.has(id));
  if (!has) return 'none';
  return ids.every((id) => chosen.has(id)) ? 'all' : 'some';
}

/** Lines stand below the head, which sticks. */
function bringIntoView(grid: HTMLElement | null, index: number): void {
  if (grid === null) return;
  const topPx = index * ROW_PX;
  const viewPx = grid.clientHeight - ROW_PX;
  if (topPx < grid.scrollTop) grid.scrollTop = topPx;
  else if (topPx + ROW_PX > grid.scrollTop + viewPx) grid.scrollTop = topPx + ROW_PX - viewPx;
}

/** What clicks and keys do to lines. */
function useLines(props: RunTableProps) {
  const { items, chosen, active } = props;
  // Where a range begins.
  const anchor = useRef<string>(undefined);
  const indexOf = (id: string | undefined): number => items.findIndex((item) => itemId(item) === id);
  const at = indexOf(active);
  const pick = (index: number, range: boolean): void => {
    const item = items[index];
    if (item === undefined) return;
    const from = range ? indexOf(anchor.current) : -1;
    const ids = items.map((each) => (each.kind === 'run' ? each.row.runId : undefined));
    props.onChoose(from < 0 ? toggled(chosen, runIdsOf(item)) : withRange(chosen, ids, from, index));
    if (from < 0) anchor.current = itemId(item);
    props.onActive(itemId(item));
  };
  const go = (index: number, range: boolean): void => {
    const item = items[index];
    if (item === undefined) return;
    if (range) {
      const from = indexOf(anchor.current);
      const begin = from < 0 ? Math.max(0, at) : from;
      anchor.current = items[begin] === undefined ? undefined : itemId(items[begin]);
      const ids = items.map((each) => (each.kind === 'run' ? each.row.runId : undefined));
      props.onChoose(withRange(chosen, ids, begin, index));
    }
    props.onActive(itemId(item));
    bringIntoView(props.grid.current, index);
  };
  const enter = (item: TableItem | undefined): void => {
    if (item?.kind === 'run') props.onOpen(item.row);
    else if (item !== undefined) props.onFold(groupId(item.group.value), !item.isOpen);
  };
  return { at, pick, go, enter, setAnchor: (id: string) => (anchor.current = id) };
}

type Lines = ReturnType<typeof useLines>;

function onGridKey(event: KeyboardEvent<HTMLElement>, props: RunTableProps, lines: Lines): void {
  const { items } = props;
  const { at } = lines;
  const item = items[at];
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / ROW_PX) - 2);
  const to = isPlain ? movedTo(event.key, at, items.length, page) : undefined;
  const handled = (): boolean => {
    if (to !== undefined) lines.go(to, event.shiftKey);
    else if (event.key === ' ') lines.pick(at, event.shiftKey);
    else if (event.key === 'Enter') lines.enter(item);
    else if (event.key.toLowerCase() === 'a' && (event.ctrlKey || event.metaKey))
      props.onChoose(new Set(items.flatMap(runIdsOf)));
    else if (event.key === 'Escape' && props.chosen.size > 0) props.onChoose(new Set());
    else if (event.key === 'ArrowRight' && item?.kind === 'group' && !item.isOpen) lines.enter(item);
    else if (event.key === 'ArrowLeft' && item?.kind === 'group' && item.isOpen) lines.enter(item);
    else if (event.key === 'ArrowLeft' && item?.kind === 'run' && props.group !== undefined)
      lines.go(headOf(items, at) ?? at, false);
    else return false;
    return true;
  };
  if (!handled()) return;
  event.preventDefault();
  event.stopPropagation();
}

function onGridClick(event: MouseEvent<HTMLElement>, props: RunTableProps, lines: Lines): void {
  const target = event.target as Element;
  const line = target.closest<HTMLElement>('[data-index]');
  const index = Number(line?.dataset['index'] ?? -1);
  const item = props.items[index];
  if (item === undefined) return;
  const isChoice = target.closest('[data-choice]') !== null;
  if (isChoice || event.shiftKey || event.ctrlKey || event.metaKey) {
    lines.pick(index, event.shiftKey);
    return;
  }
  props.onActive(itemId(item));
  lines.setAnchor(itemId(item));
  if (target.closest('[data-open], [data-fold]') !== null || event.detail === 2) lines.enter(item);
}

/** Runs in lines of 24 px; only those in view are in the document. The grid itself has the focus, not a line of it. */
export function RunTable(props: RunTableProps): ReactNode {
  const { items, columns, grid } = props;
  const prefix = useId();
  const lines = useLines(props);
  const { first, end } = useWindow(grid, items.length, ROW_PX);
  const isActiveDrawn = lines.at >= first && lines.at < end;
  const shownIds =
    props.chosen.size === 0 ? [] : items.flatMap((item) => (item.kind === 'run' ? [item.row.runId] : []));
  const sizes = { '--tracks': tracksOf(columns), '--width': `${widthOf(columns)}px` } as CSSProperties;
  useEffect(() => {
    const element = grid.current;
    // Something has to be acted on once it has the focus.
    if (lines.at < 0 && items[0] !== undefined && element === document.activeElement)
      props.onActive(itemId(items[0]));
  });
  return (
    <div
      ref={grid}
      role={props.group === undefined ? 'grid' : 'treegrid'}
      aria-label={STRINGS.table}
      aria-rowcount={items.length + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={isActiveDrawn ? `${prefix}${props.active}` : undefined}
      tabIndex={0}
      className={styles['table']}
      data-testid="run-table"
      style={sizes}
      onKeyDown={(event) => {
        if (event.target === event.currentTarget) onGridKey(event, props, lines);
      }}
      onClick={(event) => onGridClick(event, props, lines)}
      onFocus={(event) => {
        if (event.target === event.currentTarget && lines.at < 0 && items[first] !== undefined)
          props.onActive(itemId(items[first]));
      }}
    >
      <div role="rowgroup" className={styles['top']}>
        <TableHead
          columns={columns}
          order={props.order}
          chosen={howMany(shownIds, props.chosen)}
          onOrder={props.onOrder}
          onWidth={props.onWidth}
          onChooseAll={() => props.onChoose(toggled(props.chosen, items.flatMap(runIdsOf)))}
        />
      </div>
      <div role="rowgroup" className={styles['rows']} style={{ height: items.length * ROW_PX }}>
        {items.slice(first, end).map((item, offset) => {
          const index = first + offset;
          const id = itemId(item);
          const line = { id: `${prefix}${id}`, index, topPx: index * ROW_PX, isActive: id === props.active };
          return item.kind === 'run' ? (
            <RunLine
              key={id}
              {...line}
              row={item.row}
              columns={columns}
              isChosen={props.chosen.has(id)}
              isNested={props.group !== undefined}
            />
          ) : (
            <GroupLine
              key={id}
              {...line}
              group={item.group}
              by={columnLabel(props.group ?? '')}
              isOpen={item.isOpen}
              chosen={howMany(runIdsOf(item), props.chosen)}
              columnCount={columns.length}
            />
          );
        })}
      </div>
    </div>
  );
}
