import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useMemo, useRef, useState } from 'react';
import type { CSSProperties, KeyboardEvent, ReactNode } from 'react';

import { HelpedLabel } from './help';
import type { HelpId } from './help';
import { onRowKey } from './row-keys';
import styles from './virtual-table.module.css';

const ROW_PX = 24;

export interface TableColumn<R> {
  readonly key: string;
  /** With the unit, where it has one. */
  readonly label: string;
  /** In place of the label, which stays its name. */
  readonly head?: ReactNode;
  readonly hint?: string;
  /** What its figures are; a column with figures has one. */
  readonly help?: HelpId | undefined;
  /** A track of CSS grid: `8ch`, `minmax(0, 1fr)`. */
  readonly width: string;
  readonly align?: 'end';
  readonly mono?: boolean;
  readonly cell: (row: R) => ReactNode;
  readonly title?: (row: R) => string | undefined;
  /** Ascending order; without it the column can't be sorted by. Equal rows keep the order they came in. */
  readonly compare?: (a: R, b: R) => number;
}

export interface TableOrder {
  readonly key: string;
  readonly descending: boolean;
}

interface VirtualTableProps<R> {
  readonly label: string;
  readonly rows: readonly R[];
  readonly columns: readonly TableColumn<R>[];
  readonly rowKey: (row: R) => string | number;
  readonly selected?: string | number | undefined;
  /** Click, Enter or Space on a row. */
  readonly onOpen?: (row: R) => void;
  /** Space on a row, in place of opening it. */
  readonly onChoose?: (row: R) => void;
  /** `data-*` attributes of a row, for tests and styles. */
  readonly rowData?: (row: R) => Readonly<Record<`data-${string}`, string | undefined>>;
  readonly initialOrder?: TableOrder;
  /** Where the order is the caller's: the rows come in it, and a click on a head asks for another. */
  readonly order?: TableOrder;
  readonly onOrder?: (order: TableOrder) => void;
  readonly onScroll?: (topPx: number) => void;
  /** Narrower than this, the table scrolls sideways. */
  readonly minWidthPx?: number;
}

/**
 * Rows of 24 px in columns; only those in view are in the document. Sorts by a click on a head that can. A row is drawn
 * again only when it is another object, as long as columns and functions stay the same ones.
 */
export function VirtualTable<R>(props: VirtualTableProps<R>): ReactNode {
  const { rows, columns } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const [ownOrder, setOwnOrder] = useState(props.initialOrder);
  const isOrdered = props.order !== undefined;
  const order = props.order ?? ownOrder;
  const setOrder = props.onOrder ?? setOwnOrder;
  const sorted = useMemo(
    () => (isOrdered ? rows : sortRows(rows, columns, order)),
    [rows, columns, order, isOrdered],
  );
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
    // The head sticks above the rows and scrolls with them.
    scrollMargin: ROW_PX,
  });
  const items = virtual.getVirtualItems();
  const offset = virtual.scrollOffset ?? 0;
  const tabStop = items.find(({ end }) => end > offset + ROW_PX)?.index;
  const { minWidthPx } = props;
  const sizes = useMemo(
    () => ({
      gridTemplateColumns: columns.map(({ width }) => width).join(' '),
      minWidth: minWidthPx,
    }),
    [columns, minWidthPx],
  );
  return (
    <div
      ref={scroll}
      role="table"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      className={styles['table']}
      tabIndex={props.onOpen === undefined || rows.length === 0 ? 0 : undefined}
      onScroll={(event) => props.onScroll?.(event.currentTarget.scrollTop)}
    >
      <div role="rowgroup" className={styles['top']} style={{ minWidth: props.minWidthPx }}>
        <div role="row" aria-rowindex={1} className={styles['head']} style={sizes}>
          {columns.map((column) => (
            <Head key={column.key} column={column} order={order} onOrder={setOrder} />
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        style={{ height: virtual.getTotalSize(), minWidth: props.minWidthPx }}
        className={styles['rows']}
      >
        {items.map(({ index, start }) => {
          const row = sorted[index];
          if (row === undefined) return null;
          const key = props.rowKey(row);
          return (
            <Row
              key={key}
              row={row}
              index={index}
              topPx={start - ROW_PX}
              columns={columns}
              sizes={sizes}
              isSelected={key === props.selected}
              isTabStop={index === tabStop}
              rowData={props.rowData}
              onOpen={props.onOpen}
              onChoose={props.onChoose}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps<R> extends Pick<VirtualTableProps<R>, 'columns'> {
  readonly row: R;
  readonly index: number;
  readonly topPx: number;
  readonly sizes: CSSProperties;
  readonly isSelected: boolean;
  readonly isTabStop: boolean;
  readonly rowData: VirtualTableProps<R>['rowData'];
  readonly onOpen: VirtualTableProps<R>['onOpen'];
  readonly onChoose: VirtualTableProps<R>['onChoose'];
}

function PlainRow<R>(props: RowProps<R>): ReactNode {
  const { row, index, onOpen, onChoose } = props;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-current={props.isSelected}
      className={styles['row']}
      style={{ ...props.sizes, transform: `translateY(${props.topPx}px)` }}
      {...props.rowData?.(row)}
      {...(onOpen === undefined ? {} : opening(onOpen, onChoose, row, props.isTabStop))}
    >
      {props.columns.map((column) => (
        <span
          key={column.key}
          role="cell"
          data-align={column.align}
          data-mono={column.mono}
          title={column.title?.(row)}
        >
          {column.cell(row)}
        </span>
      ))}
    </div>
  );
}

const Row = memo(PlainRow) as typeof PlainRow;

function opening<R>(
  onOpen: (row: R) => void,
  onChoose: ((row: R) => void) | undefined,
  row: R,
  tabStop: boolean,
) {
  return {
    tabIndex: tabStop ? 0 : -1,
    'data-opens': true,
    onClick: () => onOpen(row),
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      // Keys of a control in the row are the control's.
      if (event.target !== event.currentTarget) return;
      if (event.key === ' ' && onChoose !== undefined) {
        event.preventDefault();
        onChoose(row);
      } else onRowKey(event, () => onOpen(row));
    },
  };
}

function sortRows<R>(
  rows: readonly R[],
  columns: readonly TableColumn<R>[],
  order: TableOrder | undefined,
): readonly R[] {
  const compare = columns.find(({ key }) => key === order?.key)?.compare;
  if (compare === undefined || order === undefined) return rows;
  return [...rows].sort((a, b) => (order.descending ? compare(b, a) : compare(a, b)));
}

function Head<R>(props: {
  readonly column: TableColumn<R>;
  readonly order: TableOrder | undefined;
  readonly onOrder: (order: TableOrder) => void;
}): ReactNode {
  const { column, order } = props;
  if (column.compare === undefined) {
    return (
      <span role="columnheader" data-align={column.align} title={column.hint}>
        <HelpedLabel help={column.help}>{column.head ?? column.label}</HelpedLabel>
      </span>
    );
  }
  const active = order?.key === column.key ? order : undefined;
  const direction = active?.descending === true ? 'descending' : 'ascending';
  // On the side away from the figures, so that head and figures end on one line.
  const arrow = active && <i aria-hidden="true">{active.descending ? '↓' : '↑'}</i>;
  return (
    <span
      role="columnheader"
      aria-sort={active ? direction : 'none'}
      data-align={column.align}
      data-help={column.help}
    >
      <button
        type="button"
        title={column.hint}
        data-help={column.help}
        onClick={() => props.onOrder({ key: column.key, descending: active?.descending === false })}
      >
        {column.align === 'end' && arrow}
        {column.label}
        {column.align === undefined && arrow}
      </button>
    </span>
  );
}
