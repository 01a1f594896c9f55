import { round, type Bar } from '../bench/bar';
import type { ExactnessRow } from './exactness';
import { peerRatios, type PeerRow } from './peer';
import type { VericacheRow } from './rows';

const FULL_CONTEXT = 8192;

/** The promises of VeriCache, as far as the rows that were measured tell. */
export function judge(rows: readonly VericacheRow[], exactness: readonly ExactnessRow[]): readonly Bar[] {
  const at = rows.filter(
    ({ contextTokens }) => contextTokens === Math.max(...rows.map((row) => row.contextTokens)),
  );
  const context = at[0]?.contextTokens ?? FULL_CONTEXT;
  const plain = (side: VericacheRow['side']): number =>
    at.find((row) => row.side === side)?.tokensPerSec ?? Number.NaN;
  const best = (side: VericacheRow['side']): VericacheRow | undefined =>
    at.filter((row) => row.side === side).sort((a, b) => b.tokensPerSec - a.tokensPerSec)[0];
  const ratioBar = (
    bar: string,
    side: VericacheRow['side'],
    base: VericacheRow['side'],
    least: number,
  ): Bar => {
    const row = best(side);
    const value = (row?.tokensPerSec ?? Number.NaN) / plain(base);
    return {
      bar: `${bar} at ${context} tokens`,
      target: `>= ${least}`,
      value: round(value),
      met: value >= least,
      ...(row ? { worst: `${row.side} ${row.compressor ?? ''}` } : {}),
    };
  };
  const verified = exactness.filter(({ side }) => side === 'vericache');
  const exactMatchPct = Math.min(100, ...verified.map((row) => row.exactMatchPct));
  const overBudget = rows.filter(({ fastMemoryBytes, budgetBytes }) => fastMemoryBytes > budgetBytes);
  const inexact = rows.filter(({ side, exact }) => side !== 'lossy' && !exact);
  return [
    ratioBar('VeriCache over the full cache on SSD at equal memory', 'vericache', 'full-ssd', 4),
    ratioBar('VeriCache over the full cache in memory', 'vericache', 'full-memory', 1),
    ratioBar(
      'VeriCache with prompt lookup over the full cache in memory',
      'vericache-lookup',
      'full-memory',
      1,
    ),
    {
      bar: 'tokens equal to plain decoding, worst compressor',
      target: '100 %',
      value: exactMatchPct,
      met: verified.length > 0 && exactMatchPct === 100,
    },
    {
      bar: 'rows whose text is not that of plain decoding, lossy ones left out',
      target: '0',
      value: inexact.length,
      met: inexact.length === 0,
    },
    {
      bar: 'rows with more memory than their budget',
      target: '0',
      value: overBudget.length,
      met: overBudget.length === 0,
    },
  ];
}

/** Plain decoding against transformers.js, as far as both were measured. */
export function judgePeers(rows: readonly PeerRow[]): readonly Bar[] {
  return peerRatios(rows).map(({ precision, contextTokens, ratio }) => ({
    bar: `plain decoding over transformers.js, ${precision}, ${contextTokens} tokens`,
    target: '>= 1',
    value: round(ratio),
    met: ratio >= 1,
  }));
}
