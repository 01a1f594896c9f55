import { formatBytes } from '../../base';
import { note, section, table } from '../blocks';
import { formatMs } from '../format';
import type { Markup } from '../markup';
import { barPlot } from '../plot/bar-plot';
import { linePlot } from '../plot/line-plot';
import { numberOf, rowsOf, textOf } from './bench-file';
import type { BenchFile, BenchRow } from './bench-file';

/** Networks streamed under budgets: latency against memory, and each network's sides. */
export function layeringSections(file: BenchFile): readonly Markup[] {
  const rows = rowsOf(file['rows']);
  const networks = [...new Set(rows.map((row) => textOf(row, 'network')))];
  const failed = rows.filter((row) => textOf(row, 'error') !== '');
  const good = rows.filter((row) => textOf(row, 'error') === '');
  return [
    againstBudget(good, networks),
    section(
      'Median latency of every side',
      networks.map((network) =>
        sidesPlot(
          good.filter((row) => textOf(row, 'network') === network),
          network,
        ),
      ),
    ),
    section(
      'All rows',
      rowsTable(good),
      failed.map((row) => note(`${textOf(row, 'network')}, ${textOf(row, 'side')}: ${textOf(row, 'error')}`)),
    ),
  ];
}

function againstBudget(rows: readonly BenchRow[], networks: readonly string[]): Markup {
  const lines = networks.flatMap((network) => {
    const own = rows.filter((row) => textOf(row, 'network') === network);
    const resident = own.find((row) => textOf(row, 'side') === 'resident');
    if (!resident) return [];
    const points = own
      .filter(
        (row) =>
          ['resident', 'async'].includes(textOf(row, 'mode')) && !textOf(row, 'side').includes('cgroup'),
      )
      .map((row) => ({
        x: (numberOf(row, 'parameterMemoryBytes') / numberOf(row, 'weightBytes')) * 100,
        y: numberOf(row, 'medianMs') / numberOf(resident, 'medianMs'),
      }))
      .sort((a, b) => a.x - b.x);
    return [{ name: network, points }];
  });
  return section(
    'Latency against budget',
    linePlot({
      title: 'What a smaller parameter memory costs, async',
      x: {
        label: 'parameter memory, % of all weights',
        isLog: true,
        format: (value) => String(Number(value.toPrecision(3))),
      },
      y: { label: 'median latency, times the resident one', fromZero: true },
      lines,
      rules: [{ name: 'as fast as with all weights in memory', y: 1 }],
    }),
  );
}

function sidesPlot(rows: readonly BenchRow[], network: string): Markup {
  return barPlot({
    title: `${network}, ${bytesOf(rows[0] ?? {}, 'weightBytes')} of weights`,
    label: 'median, with 10th to 90th percentile, ms',
    format: formatMs,
    rows: rows.map((row) => ({
      name: textOf(row, 'side'),
      series: textOf(row, 'side').startsWith('ort') ? 5 : textOf(row, 'side') === 'resident' ? 2 : 0,
      value: numberOf(row, 'medianMs'),
      low: numberOf(row, 'p10Ms'),
      high: numberOf(row, 'p90Ms'),
    })),
  });
}

function rowsTable(rows: readonly BenchRow[]): Markup {
  const ratio = (row: BenchRow, key: string): string =>
    numberOf(row, key) > 0 ? numberOf(row, key).toFixed(2) : '–';
  return table<BenchRow>(
    '“Limit” and “bound” are how many times the median is what disk and computing allow',
    [
      { title: 'network', cell: (row) => textOf(row, 'network'), isHead: true },
      { title: 'side', cell: (row) => textOf(row, 'side') },
      { title: 'memory', cell: (row) => bytesOf(row, 'parameterMemoryBytes'), isNumber: true },
      { title: 'less, %', cell: (row) => fixed(row, 'reductionPct', 1), isNumber: true },
      { title: 'median, ms', cell: (row) => fixed(row, 'medianMs', 1), isNumber: true },
      { title: 'limit', cell: (row) => ratio(row, 'limitRatio'), isNumber: true },
      { title: 'bound', cell: (row) => ratio(row, 'boundRatio'), isNumber: true },
      {
        title: 'prediction off, %',
        cell: (row) => fixed(row, 'predictionErrorPct', 1),
        isNumber: true,
      },
      { title: 'equal bits', cell: (row) => (row['outputsEqual'] === true ? 'yes' : 'no') },
    ],
    rows,
  );
}

function bytesOf(row: BenchRow, key: string): string {
  const bytes = numberOf(row, key);
  return Number.isFinite(bytes) ? formatBytes(bytes) : '–';
}

function fixed(row: BenchRow, key: string, decimals: number): string {
  const value = numberOf(row, key);
  return Number.isFinite(value) ? value.toFixed(decimals) : '–';
}
