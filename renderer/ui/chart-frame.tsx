import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import { formatCount, formatFigure, formatFixed, NO_FIGURE } from '../format';
import { strings } from '../strings';
import { Button } from './button';
import styles from './chart-frame.module.css';
import { columnDecimals, columnSummary, tableCsv } from './chart-table';
import type { ChartTable } from './chart-table';
import { VirtualTable } from './virtual-table';
import type { TableColumn } from './virtual-table';

const WORDS = strings.ui.chart;
/** A name that changes faster can't be listened to. */
const NAME_EVERY_MS = 5000;

interface ChartFrameProps {
  /** What is drawn, e.g. "Latency against budget". */
  readonly title: string;
  /** The points; asked for when the table is opened and for the name. Has to stay the same between renders. */
  readonly table: () => ChartTable;
  /** Which columns are lines: named with their least, most and last. */
  readonly lines: readonly number[];
  /** Said in place of the lines' figures, where there are too many points to ask for each time. */
  readonly name?: string;
  /** How such a figure is written, with its unit. */
  readonly text?: (value: number) => string;
  /** The points change without a render. */
  readonly isLive?: boolean;
  /** The chart's size and place. */
  readonly className?: string | undefined;
  readonly testId?: string;
  /** The picture; fills the frame when it is a plot with the class `CHART_FILL`. */
  readonly children: ReactNode;
}

/** Class of a picture that fills its frame. */
export const CHART_FILL = styles['fill'];

function nameOf({ title, name, table, lines, text = formatFigure }: ChartFrameProps): string {
  if (name !== undefined) return name;
  const { columns, rows } = table();
  const said = lines.flatMap((column) => {
    const sum = columnSummary(rows, column);
    return sum === undefined
      ? []
      : [
          WORDS.series(
            columns[column] ?? '',
            WORDS.points(sum.count),
            text(sum.least),
            text(sum.most),
            text(sum.last),
          ),
        ];
  });
  return said.length === 0 ? WORDS.empty(title) : `${title}. ${said.join('; ')}`;
}

/** What the picture shows, in a sentence; of a live one every few seconds. */
function useName(props: ChartFrameProps): string {
  const now = nameOf(props);
  const [, setTick] = useState(0);
  const { isLive = false } = props;
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => setTick((tick) => tick + 1), NAME_EVERY_MS);
    return () => clearInterval(timer);
  }, [isLive]);
  return now;
}

function cellText(value: string | number | null | undefined, decimals: number): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_FIGURE;
  return (decimals === 0 ? formatCount(value) : formatFixed(value, decimals)).replace('-', '−');
}

type Row = ChartTable['rows'][number];

function Figures({ title, table }: { readonly title: string; readonly table: ChartTable }): ReactNode {
  const keyed = table.rows.map((cells, index) => ({ cells, index }));
  const decimals = table.columns.map((_, at) => columnDecimals(table.rows, at));
  const columns = table.columns.map((label, at): TableColumn<{ cells: Row; index: number }> => {
    const isFigure = table.rows.some((cells) => typeof cells[at] === 'number');
    return {
      key: String(at),
      label,
      // Names need more room than figures.
      width: isFigure ? 'minmax(9ch, 1fr)' : 'minmax(9ch, 2fr)',
      ...(isFigure ? { align: 'end' as const } : {}),
      cell: ({ cells }) => cellText(cells[at], decimals[at] ?? 0),
    };
  });
  return (
    <VirtualTable
      label={WORDS.tableOf(title)}
      rows={keyed}
      columns={columns}
      rowKey={({ index }) => index}
      minWidthPx={table.columns.length * 90}
    />
  );
}

function TableView({
  title,
  table,
  onPicture,
}: {
  readonly title: string;
  readonly table: ChartTable;
  readonly onPicture: () => void;
}): ReactNode {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  const copy = (): void => {
    // Absent on pages served over plain http from another machine.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (clipboard === undefined) setCopied('refused');
    else
      clipboard.writeText(tableCsv(table)).then(
        () => setCopied('yes'),
        () => setCopied('refused'),
      );
  };
  const copyText = { no: WORDS.copy, yes: WORDS.copied, refused: strings.ui.copyRefused }[copied];
  return (
    <div className={styles['table']}>
      <div className={styles['bar']}>
        <Button variant="ghost" onClick={onPicture} autoFocus>
          {WORDS.picture}
        </Button>
        <Button variant="ghost" onClick={copy}>
          {copyText}
        </Button>
      </div>
      <Figures title={title} table={table} />
    </div>
  );
}

/** Every chart stands in one: it names what is seen, and shows the points as a table, or copies them, on demand. */
export function ChartFrame(props: ChartFrameProps): ReactNode {
  const name = useName(props);
  const [table, setTable] = useState<ChartTable>();
  const classes = [styles['frame'], props.className].filter(Boolean).join(' ');
  return (
    <figure aria-label={name} className={classes} data-testid={props.testId} data-chart>
      {/* Kept while the table covers it: many pictures are drawn past React. */}
      <div className={styles['picture']} data-covered={table !== undefined}>
        {props.children}
      </div>
      {table === undefined ? (
        <Button
          variant="ghost"
          className={styles['open']}
          aria-label={`${WORDS.table}: ${props.title}`}
          title={WORDS.table}
          onClick={() => setTable(props.table())}
        >
          <span aria-hidden="true">▦</span>
        </Button>
      ) : (
        <TableView title={props.title} table={table} onPicture={() => setTable(undefined)} />
      )}
    </figure>
  );
}
