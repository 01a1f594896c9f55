import { round, worstOf } from '../bench/bar';
import type { Bar } from '../bench/bar';
import type { DecisionTimeResult } from './decision-times';
import type { ManyUsersResult } from './many-users';
import type { ConvergenceRow, PolicyRow, ReductionRow } from './rows';

export interface Judged {
  readonly rows: readonly PolicyRow[];
  readonly reductions: readonly ReductionRow[];
  readonly convergence: readonly ConvergenceRow[];
  readonly manyUsers: readonly ManyUsersResult[];
  readonly decisionTimes: readonly DecisionTimeResult[];
}

/** Agents whose policy the 95 % is asked of. */
const LEARNED = ['factored', 'hybrid'];
/** Real steps in which the factored agent must be back within 2 % after all links turned weak. */
const STATED_RECOVERY_STEPS = 30;

export function judge({ rows, reductions, convergence, manyUsers, decisionTimes }: Judged): Bar[] {
  const name = ({ users, links, threshold, agent }: PolicyRow): string =>
    `${agent}, ${users} users, links ${links}, threshold ${threshold}`;
  const bars = [
    ...LEARNED.flatMap((agent) => {
      const own = rows.filter((row) => row.agent === agent);
      return [
        average(
          `${agent}: states within 1% of the oracle, percent, mean of cells and seeds`,
          '>= 95',
          own,
          95,
        ),
        worstOf(`${agent}: states below the accuracy threshold, percent`, '0', own, {
          figure: (row) => row.violationsPct.most,
          limit: 0,
          name,
        }),
      ];
    }),
    reductionBar(reductions),
    ratioBar(convergence, 'ratioToQLearning', 'Q-learning'),
    ratioBar(convergence, 'ratioToDqn', 'DQN'),
    worstOf('factored, many users: gap to the lower bound, percent', '<= 2', manyUsers, {
      figure: ({ gapToBoundPct }) => gapToBoundPct,
      limit: 2,
      name: manyName,
    }),
    worstOf(
      'factored, many users: real steps to recover from a change of links',
      `<= ${STATED_RECOVERY_STEPS}`,
      manyUsers,
      {
        figure: ({ recoveredAfter }) => recoveredAfter ?? Number.MAX_SAFE_INTEGER,
        limit: STATED_RECOVERY_STEPS,
        name: manyName,
      },
    ),
    worstOf('decision time p99, ms, all agents up to 5 users, factored up to 100', '< 1', decisionTimes, {
      figure: ({ p99Ms }) => p99Ms,
      limit: 0.999,
      name: ({ agent, users }) => `${agent}, ${users} users`,
    }),
  ];
  return bars.filter(({ value }) => !Number.isNaN(value));
}

function manyName({ users, seed }: ManyUsersResult): string {
  return `${users} users, seed ${seed}`;
}

function average(bar: string, target: string, rows: readonly PolicyRow[], least: number): Bar {
  const value = round(rows.reduce((sum, row) => sum + row.statesWithinOnePct.mean, 0) / rows.length);
  return { bar, target, value, met: value >= least };
}

/** The best reduction anywhere is no proof; the mean over link scenarios at the most users is what is told. */
function reductionBar(rows: readonly ReductionRow[]): Bar {
  const most = Math.max(...rows.map(({ users }) => users));
  const own = rows.filter(({ users, agent }) => users === most && agent === 'factored');
  const mean = (figure: (row: ReductionRow) => number): number =>
    own.reduce((sum, row) => sum + figure(row), 0) / own.length;
  const value = round(mean(({ reductionAgainstOraclePct }) => reductionAgainstOraclePct));
  return {
    bar: `reduction against the oracle of offload-only at threshold 89, percent, mean of link scenarios, ${most} users (paper: 35)`,
    target: '>= 35',
    value,
    met: value >= 35,
    worst: `accuracy lost ${round(mean(({ lostAccuracyPct }) => lostAccuracyPct))} points (paper: 0.9)`,
  };
}

/** The largest ratio of a hybrid at any number of users; with those of all numbers, and bounds where one did not converge. */
function ratioBar(
  rows: readonly ConvergenceRow[],
  figure: 'ratioToQLearning' | 'ratioToDqn',
  baseline: string,
): Bar {
  const ratios = rows
    .filter(({ agent }) => agent.startsWith('hybrid-k'))
    .map((row) => ({ row, value: Number(row[figure].replace('> ', '')) }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => b.value - a.value);
  const [best] = ratios;
  const byUsers = [...new Set(rows.map(({ users }) => users))]
    .sort((a, b) => a - b)
    .flatMap((users) => ratios.filter(({ row }) => row.users === users).slice(0, 1))
    .map(({ row }) => `${row.users} users ${row[figure]} (${row.agent}, links ${row.links})`);
  return {
    bar: `largest ratio of real steps, ${baseline} over a hybrid (paper: 166.6)`,
    target: '>= 166.6',
    value: best?.value ?? Number.NaN,
    met: (best?.value ?? 0) >= 166.6,
    ...(best && { worst: byUsers.join('; ') }),
  };
}
