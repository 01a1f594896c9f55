import { z } from 'zod';

import { readCsv } from './csv';
import type { CellValue } from './evaluators/evaluator';

/** Answers or predictions as they are stored. */
export interface TableText {
  readonly format: 'csv' | 'jsonl';
  readonly text: string;
}

interface TableRow {
  /** In the file; a CSV's header is row 1. */
  readonly row: number;
  readonly value: CellValue;
}

export interface Table {
  /** By id, in the order of the file. */
  readonly rows: ReadonlyMap<string, TableRow>;
  /** Each with its row. */
  readonly faults: readonly string[];
}

const id = z.union([z.string().min(1), z.number().transform(String)], 'expected a text or a number');
const value = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))],
  'expected a text, a number, true/false or a list of texts or numbers',
);

/**
 * Reads a column by `id`: of a CSV with a header, or of JSON lines with an object each. Other columns are passed over.
 * @param column `answer` or `prediction`.
 */
export function readTable({ format, text }: TableText, column: string): Table {
  return format === 'csv' ? readCsvTable(text, column) : readJsonLines(text, column);
}

class TableBuilder {
  readonly rows = new Map<string, TableRow>();
  readonly faults: string[] = [];

  add(row: number, key: string, cell: CellValue): void {
    const earlier = this.rows.get(key);
    if (key === '') this.faults.push(`row ${row}: the id is empty`);
    else if (earlier) this.faults.push(`row ${row}: the id ${shown(key)} was in row ${earlier.row} already`);
    else this.rows.set(key, { row, value: cell });
  }
}

function readCsvTable(text: string, column: string): Table {
  const read = readCsv(text);
  if ('fault' in read) return { rows: new Map(), faults: [read.fault] };
  const table = new TableBuilder();
  const [header, ...rest] = read.rows;
  if (!header) return { rows: table.rows, faults: ['the file is empty'] };
  const names = header.cells.map((name) => name.trim());
  const idAt = names.indexOf('id');
  const valueAt = names.indexOf(column);
  if (idAt < 0 || valueAt < 0) {
    const fault = `row ${header.row}: expected a header with the columns id and ${column}, found ${shown(names.join(','))}`;
    return { rows: table.rows, faults: [fault] };
  }
  for (const { row, cells } of rest) {
    if (cells.length === names.length) table.add(row, (cells[idAt] ?? '').trim(), cells[valueAt] ?? '');
    else
      table.faults.push(`row ${row}: expected ${names.length} cells as in the header, found ${cells.length}`);
  }
  return table;
}

function readJsonLines(text: string, column: string): Table {
  const table = new TableBuilder();
  const schema = z.looseObject({ id, [column]: value });
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue;
    const row = index + 1;
    const parsed = schema.safeParse(jsonOf(line));
    if (parsed.success) {
      table.add(row, parsed.data.id as string, parsed.data[column] as CellValue);
      continue;
    }
    const faults = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
    table.faults.push(
      `row ${row}: ${jsonOf(line) === undefined ? `no JSON, ${shown(line)}` : faults.join('; ')}`,
    );
  }
  if (table.rows.size === 0 && table.faults.length === 0) table.faults.push('the file is empty');
  return table;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // No JSON text gives undefined.
    return undefined;
  }
}

/** Short enough for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
