import { formatBytes } from '../../base';
import type { VericacheBenchReport } from '../bench-vericache';
import { table } from './table';

/** The report as tables. */
export function vericacheText({ rows, exactness, bars }: VericacheBenchReport): string {
  const speeds = table<VericacheBenchReport['rows'][number]>(
    [
      { title: 'context', text: ({ contextTokens }) => String(contextTokens), align: 'right' },
      { title: 'side', text: ({ side }) => side },
      { title: 'compressor', text: ({ compressor = '' }) => compressor },
      { title: 'ratio', text: ({ ratio }) => String(ratio), align: 'right' },
      { title: 'tokens/s', text: ({ tokensPerSec }) => tokensPerSec.toFixed(1), align: 'right' },
      { title: 'memory', text: ({ fastMemoryBytes }) => formatBytes(fastMemoryBytes), align: 'right' },
      { title: 'rounds', text: ({ rounds }) => String(rounds), align: 'right' },
      { title: 'drafted', text: ({ draftedPerRound }) => draftedPerRound.toFixed(1), align: 'right' },
      { title: 'accepted', text: ({ acceptedPerRound }) => acceptedPerRound.toFixed(1), align: 'right' },
      { title: 'draft ms', text: ({ draftMs }) => draftMs.toFixed(0), align: 'right' },
      { title: 'swap ms', text: ({ swapMs }) => swapMs.toFixed(0), align: 'right' },
      { title: 'verify ms', text: ({ verifyMs }) => verifyMs.toFixed(0), align: 'right' },
      { title: 'first token ms', text: firstTokenText, align: 'right' },
      { title: 'exact', text: ({ exact }) => (exact ? 'yes' : 'no') },
    ],
    rows,
  );
  const matches = table<VericacheBenchReport['exactness'][number]>(
    [
      { title: 'side', text: ({ side }) => side },
      { title: 'compressor', text: ({ compressor }) => compressor },
      { title: 'prompts', text: ({ prompts }) => String(prompts), align: 'right' },
      { title: 'exact', text: ({ exactMatchPct }) => `${exactMatchPct} %`, align: 'right' },
      { title: 'diverged', text: ({ divergedReplies }) => String(divergedReplies), align: 'right' },
      { title: 'first at', text: ({ firstDivergence = '' }) => String(firstDivergence), align: 'right' },
      { title: 'median at', text: ({ medianDivergence = '' }) => String(medianDivergence), align: 'right' },
    ],
    exactness,
  );
  const judged = bars.map((bar) => JSON.stringify(bar)).join('\n');
  return [...(rows.length > 0 ? [speeds] : []), ...(exactness.length > 0 ? [matches] : []), judged].join(
    '\n\n',
  );
}

/** With a remote prefix, and with the prompt computed here. */
function firstTokenText({ prefillMs, localPrefillMs }: VericacheBenchReport['rows'][number]): string {
  if (prefillMs === undefined || localPrefillMs === undefined) return '';
  return `${prefillMs.toFixed(0)} instead of ${localPrefillMs.toFixed(0)}`;
}
