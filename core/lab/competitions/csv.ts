/**
 * Cells of a CSV text (RFC 4180): quoted cells may hold commas, quotes (twice) and line ends; lines end with LF or
 * CRLF; empty lines are passed over.
 * @returns rows with their number in the file, counted as spreadsheets do; or what is wrong, and in which row.
 */
export function readCsv(text: string): { readonly rows: readonly CsvRow[] } | { readonly fault: string } {
  const rows: CsvRow[] = [];
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  // A cell, and what ends it: sticky, so that nothing between two cells is passed over.
  const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let cells: string[] = [];
  let row = 1;
  while (cell.lastIndex < source.length || cells.length > 0) {
    const found = cell.exec(source);
    if (!found) return { fault: `row ${row}: a quote is not closed, or stands in the middle of a cell` };
    const [, quoted, plain = '', end] = found;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '') rows.push({ row, cells });
    cells = [];
    row += 1;
  }
  return { rows };
}

export interface CsvRow {
  readonly row: number;
  readonly cells: readonly string[];
}
