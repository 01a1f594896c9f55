import { availableParallelism } from 'node:os';

import { SluiceError } from '../../contract';
import { LINK_SCENARIO_NAMES } from '../../offload';
import type { Bar } from '../bench/bar';
import { benchMachine } from '../bench/machine';
import type { BenchMachine } from '../bench/machine';
import { judge } from './bars';
import { runDecisionTimes } from './decision-times';
import type { DecisionTimeJob, DecisionTimeResult } from './decision-times';
import { runJobs } from './job-pool';
import { benchLive } from './live';
import type { LiveReport } from './live';
import { judgeLive } from './live/live-bars';
import type { Job, JobResult } from './jobs';
import type { ManyUsersResult } from './many-users';
import { convergenceRows, policyRows, reductionRows } from './rows';
import type { ConvergenceRow, PolicyRow, ReductionRow } from './rows';
import type { SensitivityResult } from './sensitivity';

export interface OffloadBenchOptions {
  /** Numbers of users; default 1 to 5. */
  readonly users?: readonly number[];
  /** Seeds of every learned figure; default 5. */
  readonly seeds?: number;
  /** A tenth of the training and of the budgets, for a look. */
  readonly quick?: boolean;
  readonly threads?: number;
  /** `off`: simulated scenarios alone; `only`: the live run alone. Default: both. */
  readonly live?: 'on' | 'off' | 'only';
  /** Where the live run keeps its networks. */
  readonly workDir?: string;
  readonly signal?: AbortSignal;
  readonly log?: (message: string) => void;
}

export interface OffloadBenchReport {
  readonly environment: BenchMachine & {
    readonly seeds: number;
    readonly quick: boolean;
    /** Worker threads, and how long all of it took. */
    readonly workers: number;
    readonly elapsedSec: number;
  };
  readonly rows: readonly PolicyRow[];
  readonly reductions: readonly ReductionRow[];
  readonly sensitivity: readonly SensitivityResult[];
  readonly convergence: readonly ConvergenceRow[];
  readonly manyUsers: readonly ManyUsersResult[];
  readonly decisionTimes: readonly DecisionTimeResult[];
  /** Real processes and measured times; absent when it was turned off. */
  readonly live?: LiveReport;
  readonly bars: readonly Bar[];
}

const GRID_AGENTS = [
  'local-only',
  'edge-only',
  'cloud-only',
  'offload-only',
  'q-learning',
  'dqn',
  'hybrid',
  'linucb',
  'factored',
];

/** Real steps each agent is given to converge: what costs some seconds at five users. */
const BUDGETS: readonly (readonly [agent: string, steps: number])[] = [
  ['q-learning', 1_000_000],
  ['dqn', 10_000],
  ['hybrid-k0', 8000],
  ['hybrid-k1', 5000],
  ['hybrid-k5', 2500],
  ['hybrid-k10', 2000],
  ['hybrid-k50', 1000],
  ['hybrid-grounded', 2500],
  ['linucb', 1000],
  ['factored', 1000],
];
/** Agents were tuned by seeds from 1 and other states than `grid` judges in: neither was seen before. */
const FIRST_SEED = 101;
const MANY_USERS = 100;
const MANY_USERS_STEPS = 120;
const CROWDS = [10, 20, 50, 100];

/**
 * Measures the offload agents on simulated scenarios, where everything but decision times is deterministic in the
 * seeds, and in a live run over real processes.
 * @throws SluiceError `bad-input` for numbers of users out of range; as `benchLive`.
 */
export async function benchOffload(options: OffloadBenchOptions = {}): Promise<OffloadBenchReport> {
  const users = options.users ?? [1, 2, 3, 4, 5];
  const bad = users.find((count) => !Number.isInteger(count) || count < 1 || count > 6);
  if (bad !== undefined || users.length === 0) {
    throw new SluiceError('bad-input', `--users: expected numbers from 1 to 6, found ${users.join(', ')}.`);
  }
  const quick = options.quick ?? false;
  const seeds = options.seeds ?? 5;
  const workers = options.threads ?? availableParallelism();
  const machine = benchMachine();
  const startMs = performance.now();
  // Before the workers start: they would disturb it.
  const live = options.live === 'off' ? undefined : await liveOf(options, quick);
  const simulated =
    options.live === 'only' ? NOTHING_SIMULATED : await simulate(options, { users, seeds, quick, workers });
  const elapsedSec = Math.round((performance.now() - startMs) / 1000);
  return {
    environment: { ...machine, seeds, quick, workers, elapsedSec },
    ...simulated,
    ...(live && { live }),
    bars: [...judge(simulated), ...(live ? judgeLive(live) : [])],
  };
}

const NOTHING_SIMULATED = {
  rows: [],
  reductions: [],
  convergence: [],
  manyUsers: [],
  decisionTimes: [],
  sensitivity: [],
};

function liveOf({ workDir, signal, log }: OffloadBenchOptions, quick: boolean): Promise<LiveReport> {
  return benchLive({
    ...(workDir !== undefined && { workDir }),
    ...(signal && { signal }),
    ...(log && { log }),
    ...(quick && { scenario: { roundsPerHalf: 10, blockRounds: 5, trainingRounds: 20 } }),
  });
}

interface Simulation {
  readonly users: readonly number[];
  readonly seeds: number;
  readonly quick: boolean;
  readonly workers: number;
}

async function simulate(
  options: OffloadBenchOptions,
  { users, seeds, quick, workers }: Simulation,
): Promise<Omit<OffloadBenchReport, 'environment' | 'live' | 'bars'>> {
  const log = options.log ?? ((): void => undefined);
  const decisionTimes = timesOf(users, quick);
  const jobs = jobsOf(users, seeds, quick ? 10 : 1);
  const results = await runJobs(jobs, workers, (job, done) =>
    log(`${done} of ${jobs.length}: ${describe(job)}`),
  );
  const rows = policyRows(pick(results, 'grid'));
  return {
    rows,
    reductions: reductionRows(rows, ['factored', 'hybrid', 'oracle']),
    sensitivity: pick(results, 'sensitivity'),
    convergence: convergenceRows(pick(results, 'convergence')),
    manyUsers: pick(results, 'many-users'),
    decisionTimes,
  };
}

/** Longest first, so that no worker is left with a long one at the end. */
function jobsOf(users: readonly number[], seeds: number, shorten: number): Job[] {
  const everySeed = Array.from({ length: seeds }, (_, index) => FIRST_SEED + index);
  const most = [...users].sort((a, b) => b - a);
  return [
    ...most.flatMap((count) =>
      everySeed.map((seed): Job => ({ kind: 'grid', users: count, seed, agents: GRID_AGENTS, shorten })),
    ),
    ...everySeed.map((seed): Job => ({
      kind: 'many-users',
      users: MANY_USERS,
      seed,
      trainingSteps: MANY_USERS_STEPS,
    })),
    ...most.flatMap((count) =>
      LINK_SCENARIO_NAMES.flatMap((links) =>
        BUDGETS.flatMap(([agent, steps]) =>
          everySeed.map((seed): Job => {
            const budgetSteps = Math.max(300, Math.round(steps / shorten));
            return { kind: 'convergence', agent, users: count, links, seed, budgetSteps };
          }),
        ),
      ),
    ),
    ...most.map((count): Job => ({ kind: 'sensitivity', users: count })),
  ];
}

/** Before the workers start: they would disturb it. */
function timesOf(users: readonly number[], quick: boolean): DecisionTimeResult[] {
  const decisions = quick ? 500 : 2000;
  const small = ['q-learning', 'dqn', 'hybrid', 'linucb', 'factored'].flatMap((agent) =>
    users.map((count): DecisionTimeJob => ({
      kind: 'decision-times',
      agent,
      users: count,
      trainingSteps: 200,
      decisions,
    })),
  );
  const crowds = CROWDS.map((count): DecisionTimeJob => ({
    kind: 'decision-times',
    agent: 'factored',
    users: count,
    trainingSteps: 30,
    decisions: quick ? 200 : 1000,
  }));
  return [...small, ...crowds].map(runDecisionTimes);
}

function pick<Kind extends JobResult['kind']>(
  results: readonly JobResult[],
  kind: Kind,
): Extract<JobResult, { readonly kind: Kind }>[] {
  return results.filter(
    (result): result is Extract<JobResult, { readonly kind: Kind }> => result.kind === kind,
  );
}

function describe(job: Job): string {
  const agent = 'agent' in job ? ` ${job.agent}` : '';
  const seed = 'seed' in job ? `, seed ${job.seed}` : '';
  return `${job.kind}${agent}, ${job.users} users${seed}`;
}
