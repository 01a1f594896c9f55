import type { LabRunRow } from '../../../../core/contract';
import type { ParallelAxis, ParallelLine } from '../parallel';
import { partedKey } from '../runs/run-values';

/** More categories than these are not told apart on an axis. */
const MOST_CATEGORIES = 12;
/** From this ratio of its ends on, a parameter is drawn on a logarithmic axis. */
const LOG_RATIO = 50;

function numbersOf(values: readonly (string | number | undefined)[]): readonly number[] | undefined {
  const numbers = values
    .filter((value) => value !== undefined)
    .map((value) => (value === '' ? NaN : Number(value)));
  const isNumeric = values.every(
    (value) => typeof value === 'number' || value === undefined || !Number.isNaN(Number(value)),
  );
  const finite = numbers.filter(Number.isFinite);
  return isNumeric && finite.length > 0 ? finite : undefined;
}

/** The axis that these values of a parameter or metric need; undefined: they are all alike, or too many words. */
export function axisOf(
  id: string,
  label: string,
  values: readonly (string | number | undefined)[],
): ParallelAxis | undefined {
  const distinct = new Set(values.filter((value) => value !== undefined));
  if (distinct.size < 2) return undefined;
  const numbers = numbersOf(values);
  if (numbers === undefined) {
    if (distinct.size > MOST_CATEGORIES) return undefined;
    return { id, label, hint: id, kind: 'category', values: [...distinct].map(String).sort() };
  }
  const min = Math.min(...numbers);
  const max = Math.max(...numbers);
  const scale = min > 0 && max / min >= LOG_RATIO ? 'log' : 'linear';
  const isInteger = numbers.every(Number.isInteger);
  return { id, label, hint: id, kind: 'number', scale, min, max, isInteger };
}

function valueAt(row: LabRunRow, id: string): string | number | undefined {
  const parted = partedKey(id);
  return parted === undefined ? row[id as 'user'] : row[parted.kind][parted.name];
}

/** The parameters in which the runs differ, then the metric; and a line for each run. */
export function comparedAxes(
  rows: readonly LabRunRow[],
  metric: string,
): { readonly axes: readonly ParallelAxis[]; readonly lines: readonly ParallelLine[] } {
  const params = [...new Set(rows.flatMap((row) => Object.keys(row.params)))].sort();
  const ids = [...params.map((name) => `params.${name}`), `metrics.${metric}`];
  const axes = ids
    .map((id) =>
      axisOf(
        id,
        partedKey(id)?.name ?? id,
        rows.map((row) => valueAt(row, id)),
      ),
    )
    .filter((axis) => axis !== undefined);
  const lines = rows.map((row) => ({
    id: row.runId,
    label: row.name,
    values: axes.map(({ id }) => valueAt(row, id)),
  }));
  return { axes, lines };
}
