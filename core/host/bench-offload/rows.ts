import { median } from '../../base';
import { round } from '../bench/bar';
import type { ConvergenceResult } from './convergence';
import type { GridCell, GridResult } from './grid';

/** Over seeds. */
export interface Spread {
  readonly median: number;
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** One agent in one link scenario at one threshold; each figure over the seeds. */
export interface PolicyRow {
  readonly users: number;
  readonly links: string;
  readonly threshold: string;
  readonly agent: string;
  readonly meanResponseMs: Spread;
  readonly meanAccuracyPct: Spread;
  /** Negative where an agent is faster than the oracle because it misses the threshold; see `violationsPct`. */
  readonly optimalityGapPct: Spread;
  readonly statesWithinOnePct: Spread;
  readonly violationsPct: Spread;
}

export interface ReductionRow {
  readonly users: number;
  readonly links: string;
  readonly agent: string;
  /** Response time saved against the offload-only agent as it was trained, and against its oracle. */
  readonly reductionPct: number;
  readonly reductionAgainstOraclePct: number;
  readonly lostAccuracyPct: number;
  readonly paperReductionPct: number;
  readonly paperLostAccuracyPct: number;
}

export interface ConvergenceRow {
  readonly users: number;
  readonly links: string;
  readonly agent: string;
  readonly budgetSteps: number;
  readonly converged: number;
  readonly seeds: number;
  /** Median over seeds with runs that did not converge counted as beyond the budget: a number or "> budget". */
  readonly steps: number | string;
  readonly least: number | string;
  readonly most: number | string;
  /** Steps of Q-learning and DQN over this agent's; with ">" where they did not converge. */
  readonly ratioToQLearning: string;
  readonly ratioToDqn: string;
  readonly paperRatio: number;
}

const PAPER = { reductionPct: 35, lostAccuracyPct: 0.9, ratio: 166.6 };

export function policyRows(results: readonly GridResult[]): PolicyRow[] {
  const groups = new Map<string, { users: number; cells: GridCell[] }>();
  for (const { users, cells } of results) {
    for (const cell of cells) {
      const key = [users, cell.links, cell.threshold, cell.agent].join();
      const group = groups.get(key) ?? { users, cells: [] };
      group.cells.push(cell);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ users, cells }) => {
    const spread = (figure: (cell: GridCell) => number): Spread => spreadOf(cells.map(figure));
    const [{ links, threshold, agent }] = cells as [GridCell];
    return {
      users,
      links,
      threshold,
      agent,
      meanResponseMs: spread((cell) => cell.meanResponseMs),
      meanAccuracyPct: spread((cell) => cell.meanAccuracyPct),
      optimalityGapPct: spread((cell) => cell.optimalityGapPct),
      statesWithinOnePct: spread((cell) => cell.withinOnePct),
      violationsPct: spread((cell) => cell.violations),
    };
  });
}

export function reductionRows(rows: readonly PolicyRow[], agents: readonly string[]): ReductionRow[] {
  const at = rows.filter(({ threshold }) => threshold === '89');
  const find = (row: PolicyRow, agent: string): PolicyRow | undefined =>
    at.find((other) => other.users === row.users && other.links === row.links && other.agent === agent);
  return at.flatMap((row) => {
    const trained = find(row, 'offload-only');
    const best = find(row, 'offload-only-oracle');
    if (!agents.includes(row.agent) || !best) return [];
    const saved = (baseline: PolicyRow): number =>
      round((1 - row.meanResponseMs.median / baseline.meanResponseMs.median) * 100);
    return [
      {
        users: row.users,
        links: row.links,
        agent: row.agent,
        reductionPct: saved(trained ?? best),
        reductionAgainstOraclePct: saved(best),
        lostAccuracyPct: round(best.meanAccuracyPct.median - row.meanAccuracyPct.median),
        paperReductionPct: PAPER.reductionPct,
        paperLostAccuracyPct: PAPER.lostAccuracyPct,
      },
    ];
  });
}

export function convergenceRows(results: readonly ConvergenceResult[]): ConvergenceRow[] {
  const groups = new Map<string, ConvergenceResult[]>();
  for (const result of results) {
    const key = convergenceKey(result);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].map((runs) => {
    const [{ users, links, agent, budgetSteps }] = runs as [ConvergenceResult];
    const steps = stepsOf(runs);
    const middle = medianOf(steps);
    const ratio = (baseline: string): string =>
      ratioText(groups.get(convergenceKey({ users, links, agent: baseline })), middle, budgetSteps);
    return {
      users,
      links,
      agent,
      budgetSteps,
      converged: steps.filter(Number.isFinite).length,
      seeds: runs.length,
      steps: orBudget(middle),
      least: orBudget(Math.min(...steps)),
      most: orBudget(Math.max(...steps)),
      ratioToQLearning: ratio('q-learning'),
      ratioToDqn: ratio('dqn'),
      paperRatio: PAPER.ratio,
    };
  });
}

function convergenceKey({ users, links, agent }: Pick<ConvergenceRow, 'users' | 'links' | 'agent'>): string {
  return [users, links, agent].join();
}

function stepsOf(runs: readonly ConvergenceResult[]): number[] {
  return runs.map(({ convergedAt }) => convergedAt ?? Infinity);
}

/** The middle of an odd number of runs, the upper middle of an even one: never between a number and infinity. */
function medianOf(steps: readonly number[]): number {
  return [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? Infinity;
}

function orBudget(steps: number): number | string {
  return Number.isFinite(steps) ? steps : '> budget';
}

function ratioText(baseline: readonly ConvergenceResult[] | undefined, own: number, budget: number): string {
  const [first] = baseline ?? [];
  if (!baseline || !first) return '-';
  const theirs = medianOf(stepsOf(baseline));
  if (Number.isFinite(theirs) && Number.isFinite(own)) return (theirs / own).toFixed(1);
  if (Number.isFinite(own)) return `> ${(first.budgetSteps / own).toFixed(1)}`;
  return Number.isFinite(theirs) ? `< ${(theirs / budget).toFixed(2)}` : '-';
}

function spreadOf(values: readonly number[]): Spread {
  return {
    median: round(median(values)),
    mean: round(values.reduce((sum, value) => sum + value, 0) / values.length),
    least: round(Math.min(...values)),
    most: round(Math.max(...values)),
  };
}
