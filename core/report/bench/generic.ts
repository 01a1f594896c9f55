import { facts, folded, note, section, table } from '../blocks';
import type { Column } from '../blocks';
import { figureOf, formatNumber } from '../format';
import { markup } from '../markup';
import type { Markup } from '../markup';
import { linePlot } from '../plot/line-plot';
import { numberOf, rowsOf } from './bench-file';
import type { BenchFile, BenchRow, BenchValue } from './bench-file';

const MOST_ROWS = 150;
/** Longer tables are folded away. */
const OPEN_ROWS = 30;
/** The column of a row that says when it was. */
const WHEN = /^(at|elapsed|time|since|minute|second)\w*(Ms|Sec|Minutes|Minute)?$/i;

/** Everything of a bench that no report of its own shows: single figures, tables, and series over time as plots. */
export function genericSections(file: BenchFile, shown: ReadonlySet<string>): readonly Markup[] {
  const entries = Object.entries(file).filter(
    ([key]) => key !== 'environment' && key !== 'bars' && !shown.has(key),
  );
  const single = entries.flatMap(([key, entry]) => (isPlain(entry) ? [[key, entry] as const] : []));
  const groups = entries.flatMap(([key, entry]) => groupSection(key, entry));
  return [...(single.length > 0 ? [figureSection('Figures', single)] : []), ...groups];
}

function isPlain(entry: unknown): entry is BenchValue {
  return entry === null || ['string', 'number', 'boolean'].includes(typeof entry);
}

function figureSection(title: string, entries: readonly (readonly [string, BenchValue])[]): Markup {
  return section(
    title,
    facts(Object.fromEntries(entries.map(([key, entry]) => [figureOf(key).title, written(key, entry)]))),
  );
}

/** With its unit. */
export function written(key: string, entry: BenchValue | undefined): string {
  if (entry === null || entry === undefined) return '–';
  if (typeof entry === 'boolean') return entry ? 'yes' : 'no';
  if (typeof entry === 'string') return entry;
  const { format, unit } = figureOf(key);
  return unit === '' ? format(entry) : `${format(entry)} ${unit}`;
}

function groupSection(key: string, entry: unknown): readonly Markup[] {
  const { title } = figureOf(key);
  const heading = title.charAt(0).toUpperCase() + title.slice(1);
  if (Array.isArray(entry)) {
    const rows = rowsOf(entry);
    return columnKeys(rows).length < 2
      ? []
      : [section(heading, ...timePlots(rows), rowTable(`${formatNumber(rows.length)} rows`, rows))];
  }
  if (typeof entry !== 'object' || entry === null) return [];
  const plain = Object.entries(entry).flatMap(([name, value]) =>
    isPlain(value) ? [[name, value] as const] : [],
  );
  const nested = Object.entries(entry).flatMap(([name, value]) => {
    const rows = rowsOf(value);
    return rows.length === 0 ? [] : [...timePlots(rows), rowTable(figureOf(name).title, rows)];
  });
  if (plain.length === 0 && nested.length === 0) return [];
  const list = facts(
    Object.fromEntries(plain.map(([name, value]) => [figureOf(name).title, written(name, value)])),
  );
  return [section(heading, plain.length > 0 ? list : undefined, ...nested)];
}

/** A plot of each number against time, where rows tell when they were. */
function timePlots(rows: readonly BenchRow[]): readonly Markup[] {
  const when = Object.keys(rows[0] ?? {}).find(
    (key) => WHEN.test(key) && rows.every((row) => typeof row[key] === 'number'),
  );
  if (when === undefined || rows.length < 3) return [];
  const x = figureOf(when);
  return Object.keys(rows[0] ?? {})
    .filter((key) => key !== when && rows.every((row) => typeof row[key] === 'number'))
    .map((key) => {
      const { title, unit } = figureOf(key);
      const isBytes = /[bB]ytes$/.test(key);
      return linePlot({
        title,
        x: { label: x.unit === '' ? x.title : `${x.title}, ${x.unit}` },
        y: { label: isBytes ? `${title}, MiB` : unit === '' ? title : `${title}, ${unit}`, fromZero: true },
        lines: [
          {
            name: title,
            points: rows.map((row) => ({
              x: numberOf(row, when),
              y: numberOf(row, key) / (isBytes ? 2 ** 20 : 1),
            })),
          },
        ],
      });
    });
}

/** All columns that any row has. Long tables are cut, and say so. */
export function rowTable(caption: string, rows: readonly BenchRow[], mostRows = MOST_ROWS): Markup {
  const keys = columnKeys(rows);
  const columns = keys.map((key, index): Column<BenchRow> => {
    const { title, unit, format } = figureOf(key);
    const isNumber = rows.some((row) => typeof row[key] === 'number');
    return {
      title: unit === '' ? title : `${title}, ${unit}`,
      cell: (row) => (typeof row[key] === 'number' ? format(row[key]) : written(key, row[key])),
      isNumber,
      isHead: index === 0,
    };
  });
  const cut =
    rows.length > mostRows
      ? note(`The first ${mostRows} of ${formatNumber(rows.length)} rows; the file has them all.`)
      : undefined;
  const whole = markup`${table<BenchRow>(caption, columns, rows.slice(0, mostRows))}${cut}`;
  return rows.length > OPEN_ROWS ? folded(`Table of ${formatNumber(rows.length)} rows`, whole) : whole;
}

/** Columns of any row; one that only names the kind of all rows says nothing. */
function columnKeys(rows: readonly BenchRow[]): readonly string[] {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return keys.filter((key) => key !== 'kind' || new Set(rows.map((row) => row[key])).size > 1);
}
