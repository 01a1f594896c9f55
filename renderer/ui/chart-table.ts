/** The points of a chart as figures. */
export interface ChartTable {
  /** Heads, with their units. */
  readonly columns: readonly string[];
  /** Numbers are aligned and written as the locale does; NaN and null are gaps. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

function csvCell(value: string | number | null): string {
  if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return '';
  const text = String(value);
  // A spreadsheet takes what begins with these for a formula.
  const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180, numbers with a point and at full precision, whatever the locale. */
export function tableCsv({ columns, rows }: ChartTable): string {
  return [columns, ...rows].map((cells) => cells.map(csvCell).join(',')).join('\r\n') + '\r\n';
}

/** Of a column: how many points, the least, the most and the last; undefined when it has none. */
export function columnSummary(
  rows: ChartTable['rows'],
  column: number,
):
  | { readonly count: number; readonly least: number; readonly most: number; readonly last: number }
  | undefined {
  let count = 0;
  let least = Infinity;
  let most = -Infinity;
  let last = Number.NaN;
  for (const row of rows) {
    const value = row[column];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    count++;
    least = Math.min(least, value);
    most = Math.max(most, value);
    last = value;
  }
  return count === 0 ? undefined : { count, least, most, last };
}

/** Decimals that all figures of a column have, so that they stand one below the other. */
export function columnDecimals(rows: ChartTable['rows'], column: number): number {
  let most = 0;
  let isWhole = true;
  for (const row of rows) {
    const value = row[column];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    most = Math.max(most, Math.abs(value));
    isWhole &&= Number.isInteger(value);
  }
  if (isWhole) return 0;
  if (most >= 1000) return 1;
  return most >= 10 ? 2 : 4;
}
