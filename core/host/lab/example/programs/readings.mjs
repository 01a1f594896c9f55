import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const LABELS = ['state', 'heat'];

/** Rows of a table of readings: `{id, readings, state?, heat?}`. */
export function readReadings(folder, name) {
  const [header, ...lines] = readFileSync(join(folder, name), 'utf8').trim().split('\n');
  const names = header.split(',');
  const inputs = names.flatMap((column, at) => (column === 'id' || LABELS.includes(column) ? [] : [at]));
  return lines.map((line) => {
    const cells = line.split(',');
    const labels = Object.fromEntries(names.map((column, at) => [column, cells[at]]));
    return {
      id: labels.id,
      readings: Float32Array.from(inputs, (at) => Number(cells[at])),
      state: labels.state,
      heat: Number(labels.heat),
    };
  });
}

/** What brings each reading to mean 0 and deviation 1: `(x - mean) * scale`. */
export function scalerOf(rows) {
  const width = rows[0].readings.length;
  const columns = Array.from({ length: width }, (_, at) => rows.map(({ readings }) => readings[at]));
  const spread = columns.map(meanAndDeviation);
  return { mean: spread.map(({ mean }) => mean), scale: spread.map(({ deviation }) => 1 / deviation) };
}

export function scaled({ mean, scale }, readings) {
  return readings.map((reading, at) => (reading - mean[at]) * scale[at]);
}

export function meanAndDeviation(values) {
  const mean = meanOf(values);
  return { mean, deviation: Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))) || 1 };
}

export function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function csvOf(predictions) {
  return ['id,prediction', ...predictions.map(({ id, prediction }) => `${id},${prediction}`), ''].join('\n');
}
