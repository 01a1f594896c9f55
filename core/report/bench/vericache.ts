import { section } from '../blocks';
import { formatNumber } from '../format';
import type { Markup } from '../markup';
import { barPlot } from '../plot/bar-plot';
import { linePlot } from '../plot/line-plot';
import { numberOf, rowsOf, textOf } from './bench-file';
import type { BenchFile, BenchRow } from './bench-file';
import { rowTable } from './generic';

/** Exact replies over compressed caches: speed, memory, exactness, and the peer. */
export function vericacheSections(file: BenchFile): readonly Markup[] {
  const rows = rowsOf(file['rows']);
  const exactness = rowsOf(file['exactness']);
  const peers = rowsOf(file['peers']);
  return [
    ...(rows.length > 0 ? [speedSection(rows)] : []),
    ...(exactness.length > 0 ? [exactnessSection(exactness)] : []),
    ...(peers.length > 0 ? [peersSection(peers)] : []),
  ];
}

function nameOf(row: BenchRow): string {
  const ratio = numberOf(row, 'ratio');
  return [textOf(row, 'side'), textOf(row, 'compressor'), ratio > 1 ? `${ratio}×` : '']
    .filter((part) => part !== '')
    .join(' ');
}

function speedSection(rows: readonly BenchRow[]): Markup {
  const contexts = [...new Set(rows.map((row) => numberOf(row, 'contextTokens')))].sort((a, b) => a - b);
  const sides = [...new Set(rows.map((row) => textOf(row, 'side')))];
  const most = contexts[contexts.length - 1] ?? 0;
  const scatter = linePlot({
    title: `Speed against memory at ${formatNumber(most)} tokens`,
    x: { label: 'memory of all caches, MiB' },
    y: { label: 'tokens a second', fromZero: true },
    lines: sides.map((side) => ({
      name: side,
      isDots: true,
      points: rows
        .filter((row) => textOf(row, 'side') === side && numberOf(row, 'contextTokens') === most)
        .map((row) => ({ x: numberOf(row, 'fastMemoryBytes') / 2 ** 20, y: numberOf(row, 'tokensPerSec') })),
    })),
  });
  const bars = contexts.map((context) =>
    barPlot({
      title: `Tokens a second at ${formatNumber(context)} tokens of context`,
      label: 'tokens a second',
      legend: sides,
      rows: rows
        .filter((row) => numberOf(row, 'contextTokens') === context)
        .sort((a, b) => numberOf(b, 'tokensPerSec') - numberOf(a, 'tokensPerSec'))
        .map((row) => ({
          name: nameOf(row),
          series: sides.indexOf(textOf(row, 'side')) % 8,
          value: numberOf(row, 'tokensPerSec'),
        })),
    }),
  );
  const columns = [
    'side',
    'compressor',
    'contextTokens',
    'ratio',
    'tokensPerSec',
    'fastMemoryBytes',
    'budgetBytes',
    'acceptedPerRound',
    'readBytesPerToken',
    'exact',
  ];
  return section(
    'Speed',
    scatter,
    ...bars,
    rowTable(
      'All rows',
      rows.map((row) => picked(row, columns)),
    ),
  );
}

function picked(row: BenchRow, keys: readonly string[]): BenchRow {
  return Object.fromEntries(keys.map((key) => [key, row[key] ?? null]));
}

function exactnessSection(rows: readonly BenchRow[]): Markup {
  return section(
    'Exactness',
    barPlot({
      title: 'Tokens that are those of plain decoding',
      label: '% of all tokens',
      rows: rows.map((row) => ({
        name: nameOf(row),
        series: textOf(row, 'side') === 'vericache' ? 2 : 1,
        value: numberOf(row, 'exactMatchPct'),
      })),
    }),
    rowTable('All rows', rows),
  );
}

function peersSection(rows: readonly BenchRow[]): Markup {
  const sides = [...new Set(rows.map((row) => `${textOf(row, 'side')}, ${textOf(row, 'precision')}`))];
  return section(
    'Beside transformers.js',
    linePlot({
      title: 'Plain decoding',
      x: { label: 'tokens of context' },
      y: { label: 'tokens a second', fromZero: true },
      lines: sides.map((side) => ({
        name: side,
        points: rows
          .filter((row) => `${textOf(row, 'side')}, ${textOf(row, 'precision')}` === side)
          .map((row) => ({ x: numberOf(row, 'contextTokens'), y: numberOf(row, 'tokensPerSec') })),
      })),
    }),
    rowTable('All rows', rows),
  );
}
