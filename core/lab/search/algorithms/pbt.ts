import { z } from 'zod';

import { perturb, trialRandom } from '../space/sampling';
import type {
  Advice,
  Assignment,
  Pools,
  SearchAlgorithm,
  SearchProblem,
  Suggestion,
  Trial,
  TrialOutcome,
} from './algorithm';
import { checkAtMost, defineAlgorithm } from './define-algorithm';
import { firstPoint } from './first-point';
import { ranked, type Scored } from './rungs';
import { TrialPools } from './trial-pools';

interface Options {
  /** Places in the live pool. */
  readonly population: number;
  /** Members are compared at each multiple of it. */
  readonly interval: number;
  /** The share at each end: of those that give up, and of those they copy. */
  readonly quantile: number;
  /** Places in the stop pool; 0 keeps nobody. */
  readonly stopPool: number;
  readonly resampleProbability: number;
}
/** A place of the population that nobody has: its member gave up, or failed. */
type Vacancy = 'exploited' | 'failed';
/** What a member had at the last multiple of the interval. */
interface Milestone {
  readonly resource: number;
  readonly score: number;
  /** It is what the member began with, which another one reported. */
  readonly isInherited?: boolean;
}

/**
 * Population based training: Jaderberg et al. 2017 (arXiv 1711.09846), asynchronous, with truncation selection for
 * exploit (a member of the worst 20% copies weights and parameters of one of the best 20%) and perturbation for
 * explore. A member that copies ends, and its place goes to a new trial that begins from the other's checkpoint, so
 * that each trial keeps the parameters it was started with. Where fewer can train at a time than the population has
 * members, they take turns of an interval. Nobody is compared before all have reported once.
 *
 * Pools after NSML's AutoML (arXiv 1810.09957): sessions are live, stopped and resumable, or dead. The paper's text
 * was not at hand; the rules are Sluice's reading of that: who gives up goes to the stop pool; when that is full, the
 * worst of it dies. The place of a member that failed goes to the best of the stop pool, and so does the budget that
 * is left once members have finished.
 */
class Pbt implements SearchAlgorithm {
  private readonly trials = new TrialPools();
  private readonly vacancies: Vacancy[] = [];
  private readonly milestones = new Map<number, Milestone>();
  /** Where each live trial's assignment ends. */
  private readonly ends = new Map<number, number>();
  /** Members train so far: to the end, or as far as the budget takes all of them. */
  private readonly horizon: number;
  private closedPlaces = 0;
  private readonly takesTurns: boolean;
  /** Live trials that wait for theirs. */
  private readonly turns: number[] = [];

  constructor(
    private readonly options: Options,
    private readonly problem: SearchProblem,
  ) {
    const { population, interval } = options;
    const { maxResource, budget, maxTrials, parallel } = problem;
    checkAtMost('algorithm.interval', interval, 'maxResource', maxResource);
    checkAtMost('algorithm.interval * algorithm.population', interval * population, 'budget', budget);
    checkAtMost('algorithm.population', population, 'maxTrials', maxTrials);
    this.horizon = Math.min(maxResource, Math.floor(budget / population / interval) * interval);
    this.takesTurns = population > parallel;
  }

  suggest(affordable: number): Suggestion {
    return this.next(affordable) ?? (this.trials.sizeOf('live') > this.turns.length ? 'wait' : 'done');
  }

  private next(affordable: number): Assignment | undefined {
    if (this.trials.count < this.options.population) return this.begin(affordable);
    for (const [index, vacancy] of this.vacancies.entries()) {
      const next = this.refill(vacancy, affordable);
      if (!next) continue;
      this.vacancies.splice(index, 1);
      return next;
    }
    const turn = this.takeTurn(affordable);
    if (turn) return turn;
    const hasRoom = this.vacancies.length + this.closedPlaces > 0;
    const revived = hasRoom ? this.revive(affordable) : undefined;
    if (revived && !this.vacancies.shift()) this.closedPlaces -= 1;
    return revived;
  }

  private takeTurn(affordable: number): Assignment | undefined {
    const [trial] = this.turns;
    if (trial === undefined) return undefined;
    const start = this.milestones.get(trial)?.resource ?? 0;
    const end = this.endFrom(start, affordable);
    if (end === undefined) return undefined;
    this.turns.shift();
    return this.assign(this.trials.get(trial), start, end);
  }

  private begin(affordable: number): Assignment | undefined {
    if (this.trials.count >= this.problem.maxTrials) return undefined;
    const end = this.endFrom(0, affordable);
    if (end === undefined) return undefined;
    const trial = this.trials.add(firstPoint(this.problem, this.trials.count));
    return this.assign(trial, 0, end);
  }

  private refill(vacancy: Vacancy, affordable: number): Assignment | undefined {
    if (vacancy === 'exploited') return this.fork(affordable);
    return this.revive(affordable) ?? this.fork(affordable) ?? this.begin(affordable);
  }

  /** The best of the stop pool goes on. */
  private revive(affordable: number): Assignment | undefined {
    for (const { trial } of this.rankedOf('stop')) {
      const start = this.milestones.get(trial)?.resource ?? 0;
      const end = this.endFrom(start, affordable);
      if (end === undefined) continue;
      this.trials.move(trial, 'live');
      return this.assign(this.trials.get(trial), start, end);
    }
    return undefined;
  }

  /** A new trial from the checkpoint of one of the best, with its parameters perturbed. */
  private fork(affordable: number): Assignment | undefined {
    const { trials, problem, options } = this;
    if (trials.count >= problem.maxTrials) return undefined;
    const random = trialRandom(problem.seed, trials.count);
    // Whoever has not got anywhere yet has no checkpoint of its own.
    const members = this.rankedOf('live').filter(({ trial }) => !this.milestones.get(trial)?.isInherited);
    const top = members.slice(0, Math.max(1, shareOf(members.length, options.quantile)));
    const chosen = top[Math.floor(random() * top.length)];
    const milestone = chosen && this.milestones.get(chosen.trial);
    if (!chosen || !milestone || milestone.score === -Infinity) return undefined;
    const end = this.endFrom(milestone.resource, affordable);
    if (end === undefined) return undefined;
    const { parameters } = trials.get(chosen.trial);
    const near = perturb(problem.space, parameters, random, options.resampleProbability);
    const trial = trials.add(near, { trial: chosen.trial, resource: milestone.resource });
    // The same weights are as good, until it reports something else.
    this.milestones.set(trial.id, { ...milestone, isInherited: true });
    return this.assign(trial, milestone.resource, end);
  }

  /** As far as it goes, or its turn; undefined when that is less than an interval and not the end. */
  private endFrom(start: number, affordable: number): number | undefined {
    const { horizon, takesTurns } = this;
    const { interval } = this.options;
    const most = takesTurns ? Math.min(horizon, start + interval) : horizon;
    if (affordable >= most - start) return most > start ? most : undefined;
    const intervals = Math.floor(affordable / interval);
    return intervals > 0 ? start + intervals * interval : undefined;
  }

  private assign(trial: Trial, startResource: number, untilResource: number): Assignment {
    this.ends.set(trial.id, untilResource);
    return { trial, startResource, untilResource, checkpointEvery: this.options.interval };
  }

  report(trial: number, resource: number, score: number): Advice {
    const { interval } = this.options;
    const isEnd = resource >= (this.ends.get(trial) ?? 0);
    const last = Math.floor((this.milestones.get(trial)?.resource ?? 0) / interval);
    if (!isEnd && Math.floor(resource / interval) <= last) return 'go-on';
    this.milestones.set(trial, { resource, score });
    // An assignment may also end where the budget does.
    if (isEnd && (resource >= this.horizon || !this.takesTurns)) return this.finish(trial);
    if (this.isOutdone(trial, score)) return this.giveUp(trial);
    if (!isEnd) return 'go-on';
    this.turns.push(trial);
    return 'pause';
  }

  private isOutdone(trial: number, score: number): boolean {
    const members = this.rankedOf('live');
    const isComplete = this.trials.count >= this.options.population;
    if (!isComplete || members.length < this.trials.sizeOf('live')) return false;
    const share = shareOf(members.length, this.options.quantile);
    const isWorst = members.slice(members.length - share).some((member) => member.trial === trial);
    return isWorst && (members[share - 1]?.score ?? score) > score;
  }

  private finish(trial: number): Advice {
    this.trials.move(trial, 'finished');
    this.closedPlaces += 1;
    return 'stop';
  }

  private giveUp(trial: number): Advice {
    this.vacancies.push('exploited');
    this.trials.move(trial, 'stop');
    for (const { trial: worst } of this.rankedOf('stop').slice(this.options.stopPool)) {
      this.trials.move(worst, 'dead');
    }
    return this.trials.isIn('stop', trial) ? 'pause' : 'stop';
  }

  ended(trial: number, outcome: TrialOutcome): void {
    if (outcome === 'completed') {
      this.finish(trial);
      return;
    }
    this.trials.move(trial, 'dead');
    this.vacancies.push('failed');
  }

  pools(): Pools {
    return this.trials.all();
  }

  /** Those that were compared at least once. */
  private rankedOf(pool: 'live' | 'stop'): readonly Scored[] {
    const scored: Scored[] = [];
    for (const trial of this.trials.in(pool)) {
      const milestone = this.milestones.get(trial);
      if (milestone) scored.push({ trial, score: milestone.score });
    }
    return ranked(scored);
  }
}

/** At least one of two, never more than half: the two ends don't overlap. */
function shareOf(count: number, quantile: number): number {
  return Math.min(Math.floor(count / 2), Math.ceil(count * quantile));
}

export const pbt = defineAlgorithm(
  'pbt',
  {
    population: z.int().min(2).max(1000).default(10),
    interval: z.number().positive().default(1),
    // As in Jaderberg et al. 2017.
    quantile: z.number().min(0.01).max(0.5).default(0.2),
    stopPool: z.int().min(0).max(1000).default(10),
    // As Ray Tune has it.
    resampleProbability: z.number().min(0).max(1).default(0.25),
  },
  (options, problem) => new Pbt(options, problem),
);
