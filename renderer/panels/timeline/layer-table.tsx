import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';

import { formatFixed } from '../../format';
import { strings } from '../../strings';
import { sumLayers } from '../../timeline-engine';
import type { LayerTrace } from '../../timeline-engine';
import { onRowKey } from '../../ui';
import type { HelpId } from '../../ui';
import styles from './layer-table.module.css';
import { sortRows } from './sort-rows';
import type { LayerRow, SortKey, SortOrder } from './sort-rows';

const STRINGS = strings.timeline;

const WORDS = STRINGS.layers;
const ROW_PX = 24;

interface Column {
  readonly key: Exclude<SortKey, 'layer' | 'name'>;
  readonly label: string;
  readonly help: HelpId;
  readonly text: (row: LayerRow) => string;
}

const ms = (us: number): string => formatFixed(us / 1000, 2);
const COLUMNS: readonly Column[] = [
  { key: 'waitUs', label: WORDS.wait, help: 'timeline.wait', text: (row) => ms(row.waitUs) },
  { key: 'readUs', label: WORDS.read, help: 'timeline.read', text: (row) => ms(row.readUs) },
  {
    key: 'readBytes',
    label: WORDS.bytes,
    help: 'timeline.bytes',
    text: (row) => formatFixed(row.readBytes / 2 ** 20, 2),
  },
  { key: 'computeUs', label: WORDS.compute, help: 'timeline.compute', text: (row) => ms(row.computeUs) },
];
const OTHER: Column = {
  key: 'otherWaitUs',
  label: WORDS.other,
  help: 'timeline.wait',
  text: (row) => ms(row.otherWaitUs),
};

interface LayerTableProps {
  readonly models: readonly LayerTrace[];
  /** Layer of the chosen span, marked in the table. */
  readonly selectedLayer: number | undefined;
  readonly onShow: (layer: number) => void;
}

/** Every layer's totals, by wait at first: the answer to "why is it slow". Also the canvas in words. */
export function LayerTable({ models, selectedLayer, onShow }: LayerTableProps): ReactNode {
  const [order, setOrder] = useState<SortOrder>({ key: 'waitUs', descending: true });
  const rows = useMemo(() => rowsOf(models), [models]);
  const sorted = useMemo(() => sortRows(rows, order), [rows, order]);
  const columns = models.length > 1 ? [...COLUMNS, OTHER] : COLUMNS;
  const sortBy = (key: SortKey): void =>
    setOrder((old) => ({
      key,
      descending: old.key === key ? !old.descending : key !== 'layer' && key !== 'name',
    }));
  return (
    <div role="table" aria-label={WORDS.title} aria-rowcount={rows.length + 1} className={styles['table']}>
      <div role="row" aria-rowindex={1} className={styles['head']} data-columns={columns.length}>
        {[
          { key: 'layer' as const, label: '#', help: undefined },
          { key: 'name' as const, label: WORDS.name, help: undefined },
          ...columns,
        ].map(({ key, label, help }) => (
          <SortHeader
            key={key}
            column={key}
            label={label}
            help={help}
            order={order}
            onSort={() => sortBy(key)}
          />
        ))}
      </div>
      <LayerRows rows={sorted} columns={columns} selectedLayer={selectedLayer} onShow={onShow} />
    </div>
  );
}

function rowsOf(models: readonly LayerTrace[]): readonly LayerRow[] {
  const [main, other] = models;
  if (!main) return [];
  const otherWaitUs = new Map(other && sumLayers(other).map(({ name, waitUs }) => [name, waitUs]));
  return sumLayers(main).map((row) => ({ ...row, otherWaitUs: otherWaitUs.get(row.name) ?? 0 }));
}

function SortHeader(props: {
  readonly column: SortKey;
  readonly label: string;
  readonly help: HelpId | undefined;
  readonly order: SortOrder;
  readonly onSort: () => void;
}): ReactNode {
  const active = props.order.key === props.column;
  const direction = props.order.descending ? 'descending' : 'ascending';
  return (
    <span role="columnheader" aria-sort={active ? direction : 'none'} data-column={props.column}>
      <button type="button" data-help={props.help} onClick={props.onSort}>
        {props.label}
        <span aria-hidden="true" className={styles['arrow']}>
          {active ? (props.order.descending ? '↓' : '↑') : ''}
        </span>
      </button>
    </span>
  );
}

function LayerRows(props: {
  readonly rows: readonly LayerRow[];
  readonly columns: readonly Column[];
  readonly selectedLayer: number | undefined;
  readonly onShow: (layer: number) => void;
}): ReactNode {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: props.rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const longestWaitUs = props.rows.reduce((longest, { waitUs }) => Math.max(longest, waitUs), 1e-9);
  const items = virtual.getVirtualItems();
  // Tab stops at the first row in view, wherever the list was scrolled to.
  const tabStop = items.find(({ end }) => end > (virtual.scrollOffset ?? 0))?.index;
  return (
    <div ref={scroll} role="rowgroup" className={styles['scroll']}>
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {items.map(({ index, start }) => {
          const row = props.rows[index];
          if (row === undefined) return null;
          return (
            <div
              key={row.layer}
              role="row"
              aria-rowindex={index + 2}
              aria-current={row.layer === props.selectedLayer}
              className={styles['row']}
              data-columns={props.columns.length}
              tabIndex={index === tabStop ? 0 : -1}
              title={WORDS.hint}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => props.onShow(row.layer)}
              onKeyDown={(event) => onRowKey(event, () => props.onShow(row.layer))}
            >
              <span role="cell" className={styles['index']}>
                {row.layer + 1}
              </span>
              <span role="rowheader" className={styles['name']}>
                {row.name}
              </span>
              {props.columns.map(({ key, text }) => (
                <span key={key} role="cell" className={styles['number']} data-zero={row[key] === 0}>
                  {key === 'waitUs' && (
                    <i
                      className={styles['bar']}
                      style={{ width: `${(100 * row.waitUs) / longestWaitUs}%` }}
                    />
                  )}
                  {text(row)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
