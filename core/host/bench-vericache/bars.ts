import { round, type Bar } from '../bench/bar';
import type { ExactnessRow } from './exactness';
import { peerRatios, type PeerRow } from './peer';
import type { VericacheRow } from './rows';

/** The promises of VeriCache, as far as what was measured tells; nothing of a part that was left out. */
export function judge(rows: readonly VericacheRow[], exactness: readonly ExactnessRow[]): readonly Bar[] {
  return [
    ...(rows.length > 0 ? judgeRows(rows) : []),
    ...(exactness.length > 0 ? [exactBar(exactness)] : []),
  ];
}

function judgeRows(rows: readonly VericacheRow[]): readonly Bar[] {
  const inexact = rows.filter(({ side, exact }) => side !== 'lossy' && !exact);
  const overBudget = rows.filter(({ peakWithinBudget }) => !peakWithinBudget);
  return [
    ...speedBars(rows),
    {
      bar: 'rows whose text is not that of plain decoding, lossy ones left out',
      target: '0',
      value: inexact.length,
      met: inexact.length === 0,
    },
    {
      bar: 'rows with more memory than their budget, at any time',
      target: '0',
      value: overBudget.length,
      met: overBudget.length === 0,
      ...(overBudget[0] && { worst: `${overBudget[0].side} ${overBudget[0].compressor ?? ''}`.trim() }),
    },
  ];
}

/** At the longest context. */
function speedBars(rows: readonly VericacheRow[]): readonly Bar[] {
  const context = Math.max(...rows.map(({ contextTokens }) => contextTokens));
  const best = (side: VericacheRow['side']): VericacheRow | undefined =>
    rows
      .filter((row) => row.contextTokens === context && row.side === side)
      .sort((a, b) => b.tokensPerSec - a.tokensPerSec)[0];
  const faster = (
    bar: string,
    side: VericacheRow['side'],
    base: VericacheRow['side'],
    least: number,
  ): Bar => {
    const row = best(side);
    const value = (row?.tokensPerSec ?? Number.NaN) / (best(base)?.tokensPerSec ?? Number.NaN);
    return {
      bar: `${bar} at ${context} tokens`,
      target: `>= ${least}`,
      value: round(value),
      met: value >= least,
      ...(row ? { worst: `${row.side} ${row.compressor ?? ''} at ${row.ratio}x` } : {}),
    };
  };
  const remote = best('remote-prefix');
  const waits = (remote?.prefillMs ?? Number.NaN) / (remote?.localPrefillMs ?? Number.NaN);
  return [
    faster('VeriCache over the full cache on SSD at equal memory', 'vericache', 'full-ssd', 4),
    faster('VeriCache over the full cache in memory', 'vericache', 'full-memory', 1),
    faster(
      'VeriCache with prompt lookup over the full cache in memory',
      'vericache-lookup',
      'full-memory',
      1,
    ),
    {
      bar: `wait for the first token with a remote prefix over computing the prompt here, ${context} tokens`,
      target: '< 1',
      value: round(waits),
      met: waits < 1,
    },
  ];
}

function exactBar(exactness: readonly ExactnessRow[]): Bar {
  const value = worstMatchPct(exactness) ?? Number.NaN;
  return {
    bar: 'tokens equal to plain decoding, worst compressor',
    target: '100 %',
    value,
    met: value === 100,
  };
}

/** Of VeriCache's rows; undefined when there are none. */
export function worstMatchPct(exactness: readonly ExactnessRow[]): number | undefined {
  const verified = exactness.filter(({ side }) => side === 'vericache');
  return verified.length === 0 ? undefined : Math.min(...verified.map(({ exactMatchPct }) => exactMatchPct));
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
