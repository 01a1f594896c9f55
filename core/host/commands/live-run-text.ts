import type { LiveReport } from '../bench-offload/live';
import { formatMs, table } from './table';

/** The live run of `sluice bench offload` for people. */
export function liveRunText({ rows, adaptation, alone, shaping, fault }: LiveReport): string {
  const comparison = table<LiveReport['rows'][number]>(
    [
      { title: 'live', text: ({ half }) => `${half} ${half === 'whole' ? 'run' : 'half'}` },
      { title: 'strategy', text: ({ strategy }) => strategy },
      { title: 'response', text: ({ meanResponseMs }) => formatMs(meanResponseMs), align: 'right' },
      { title: 'median', text: ({ medianResponseMs }) => formatMs(medianResponseMs), align: 'right' },
      { title: 'p90', text: ({ p90ResponseMs }) => formatMs(p90ResponseMs), align: 'right' },
      {
        title: 'to best fixed',
        text: ({ ratioToBestFixed }) => ratioToBestFixed.toFixed(2),
        align: 'right',
      },
      { title: 'accuracy', text: ({ meanAccuracyPct }) => `${meanAccuracyPct.toFixed(1)} %`, align: 'right' },
      {
        title: 'device/edge/cloud',
        text: ({ tierSharePct: { device, edge, cloud } }) =>
          `${[device, edge, cloud].map((pct) => pct.toFixed(0)).join('/')} %`,
        align: 'right',
      },
      { title: 'elsewhere', text: ({ answeredElsewhere }) => String(answeredElsewhere), align: 'right' },
      {
        title: 'prediction off',
        text: ({ predictionErrorPct }) =>
          predictionErrorPct === undefined ? '-' : `${predictionErrorPct.toFixed(0)} %`,
        align: 'right',
      },
    ],
    rows,
  );
  const back = table<LiveReport['adaptation'][number]>(
    [
      { title: 'after the change', text: ({ strategy }) => strategy },
      {
        title: 'rounds until within a tenth of the best fixed',
        text: ({ recoveredAfterRounds, bestFixed }) => `${recoveredAfterRounds ?? 'never'} (${bestFixed})`,
      },
    ],
    adaptation,
  );
  const times = table<LiveReport['alone'][number]>(
    [
      { title: 'one at a time', text: ({ half }) => `${half} half` },
      { title: 'tier', text: ({ tier }) => tier },
      { title: 'variant', text: ({ variant }) => variant },
      { title: 'response', text: ({ medianMs }) => formatMs(medianMs), align: 'right' },
    ],
    alone,
  );
  return [comparison, back, times, faultText(fault), shapingText(shaping)].join('\n\n');
}

function faultText({ requests, unanswered, killed }: LiveReport['fault']): string {
  if (!killed) return 'Edge not killed: no decision used it.';
  const { onEdge, answeredElsewhere, laterDecisionsForEdge, killedRoundMs } = killed;
  return (
    `Edge killed while it had ${onEdge} requests: ${answeredElsewhere} answered elsewhere, that round took ${formatMs(killedRoundMs)}, ` +
    `${laterDecisionsForEdge} later decisions used it; ${unanswered} of ${requests} requests unanswered.`
  );
}

function shapingText({ processors, links, whyNot }: LiveReport['shaping']): string {
  const shares = Object.entries(processors).map(([tier, share]) => `${tier} ${share}`);
  const means = Object.entries(links).map(
    ([tier, { rate, delay }]) => `${tier} rate by ${rate}, delay by ${delay}`,
  );
  return [`Processors: ${shares.join(', ')}. Links: ${means.join('; ')}.`, ...whyNot].join('\n');
}
