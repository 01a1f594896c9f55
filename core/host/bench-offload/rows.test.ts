import { describe, expect, it } from 'vitest';

import type { ConvergenceResult } from './convergence';
import { convergenceRows } from './rows';

function runs(
  agent: string,
  budgetSteps: number,
  steps: readonly (number | undefined)[],
): ConvergenceResult[] {
  return steps.map((convergedAt, index) => ({
    kind: 'convergence',
    agent,
    users: 2,
    links: 'A',
    seed: index + 1,
    budgetSteps,
    lastGapPct: 0,
    ...(convergedAt !== undefined && { convergedAt }),
  }));
}

describe('convergence rows', () => {
  it('prints what did not converge as beyond the budget, and ratios to it as bounds', () => {
    const rows = convergenceRows([
      ...runs('q-learning', 1000, [400, 200, 600]),
      ...runs('dqn', 500, [undefined, 100, undefined]),
      ...runs('hybrid-k10', 300, [20, 10, 40]),
      ...runs('hybrid-grounded', 300, [undefined, undefined, undefined]),
    ]);
    const of = (agent: string) => rows.find((row) => row.agent === agent);
    expect(of('q-learning')).toMatchObject({
      steps: 400,
      least: 200,
      most: 600,
      converged: 3,
      ratioToDqn: '> 1.3',
    });
    expect(of('dqn')).toMatchObject({ steps: '> budget', least: 100, most: '> budget', converged: 1 });
    expect(of('hybrid-k10')).toMatchObject({ steps: 20, ratioToQLearning: '20.0', ratioToDqn: '> 25.0' });
    expect(of('hybrid-grounded')).toMatchObject({
      converged: 0,
      ratioToQLearning: '< 1.33',
      ratioToDqn: '-',
    });
  });

  it('takes the upper middle of an even number: never between a number and infinity', () => {
    const [row] = convergenceRows(runs('dqn', 500, [100, undefined]));
    expect(row).toMatchObject({ steps: '> budget', converged: 1 });
  });
});
