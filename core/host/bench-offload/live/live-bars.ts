import { worstOf } from '../../bench/bar';
import type { Bar } from '../../bench/bar';
import type { FaultReport } from './fault-run';
import type { LiveRow } from './live-rows';

/** The agent that has to be better than what is fixed: the default of `sluice offload`, untrained. */
const AGENT = 'factored';

export interface LiveJudged {
  readonly rows: readonly LiveRow[];
  readonly fault: FaultReport;
}

export function judgeLive({ rows, fault }: LiveJudged): Bar[] {
  const own = rows.filter(({ strategy }) => strategy === AGENT);
  const name = ({ strategy, half }: LiveRow): string => `${strategy}, ${half} half`;
  const bars = [
    worstOf(
      `live: ${AGENT}, mean response after the degradation over that of the best fixed strategy`,
      '<= 1.05',
      own.filter(({ half }) => half === 'second'),
      { figure: ({ ratioToBestFixed }) => ratioToBestFixed, limit: 1.05, name },
    ),
    worstOf(
      `live: ${AGENT}, mean response of the whole run over that of the best fixed strategy`,
      '< 1',
      own.filter(({ half }) => half === 'whole'),
      { figure: ({ ratioToBestFixed }) => ratioToBestFixed, limit: 0.999, name },
    ),
    worstOf('live: rounds knowingly decided below the accuracy threshold', '0', rows, {
      figure: ({ missedThreshold }) => missedThreshold,
      limit: 0,
      name,
    }),
    worstOf('live: requests nobody answered', '0', rows, {
      figure: ({ unanswered }) => unanswered,
      limit: 0,
      name,
    }),
    worstOf('live: edge killed mid-request: requests nobody answered', '0', [fault], {
      figure: ({ killed, unanswered }) => (killed && killed.onEdge > 0 ? unanswered : Infinity),
      limit: 0,
      name: ({ strategy, requests }) => `${strategy}, ${requests} requests`,
    }),
    worstOf('live: edge killed mid-request: later decisions that used it', '0', [fault], {
      figure: ({ killed }) => killed?.laterDecisionsForEdge ?? Infinity,
      limit: 0,
      name: ({ strategy }) => strategy,
    }),
  ];
  return bars.filter(({ value }) => !Number.isNaN(value));
}
