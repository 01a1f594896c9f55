import { z } from 'zod';

import type {
  Advice,
  Assignment,
  Pools,
  SearchAlgorithm,
  SearchProblem,
  Suggestion,
  TrialOutcome,
} from './algorithm';
import { checkAtMost, defineAlgorithm } from './define-algorithm';
import { firstPoint } from './first-point';
import { best, rungsOf, type Scored } from './rungs';
import { TrialPools } from './trial-pools';

interface Options {
  /** Of the lowest rung. */
  readonly minResource: number;
  /** One in so many goes on to the next rung. */
  readonly eta: number;
}
interface Rung {
  readonly resource: number;
  readonly entries: Scored[];
  readonly promoted: Set<number>;
}

/**
 * ASHA: Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020, arXiv 1810.05934), algorithm
 * 2, with early stopping rate s = 0. Whoever is free promotes a trial of the highest rung that has one in its best
 * 1/eta not promoted before, and else begins a new one; nobody waits for a rung to fill. It goes on until the budget
 * is used.
 */
class Asha implements SearchAlgorithm {
  private readonly trials = new TrialPools();
  private readonly rungs: readonly Rung[];
  /** The rung each live trial is on its way to. */
  private readonly aims = new Map<number, number>();

  constructor(
    private readonly options: Options,
    private readonly problem: SearchProblem,
  ) {
    const { minResource, eta } = options;
    checkAtMost('algorithm.minResource', minResource, 'maxResource', problem.maxResource);
    this.rungs = rungsOf(minResource, problem.maxResource, eta).map((resource) => ({
      resource,
      entries: [],
      promoted: new Set(),
    }));
  }

  suggest(affordable: number): Suggestion {
    for (let level = this.rungs.length - 2; level >= 0; level -= 1) {
      const promotion = this.promotionFrom(level, affordable);
      if (promotion) return promotion;
    }
    const { trials } = this;
    const { maxTrials } = this.problem;
    const untilResource = this.rung(0).resource;
    if (trials.count >= maxTrials || affordable < untilResource) return trials.idle();
    const trial = trials.add(firstPoint(this.problem, trials.count));
    this.aims.set(trial.id, 0);
    return { trial, startResource: 0, untilResource };
  }

  private promotionFrom(level: number, affordable: number): Assignment | undefined {
    const { resource: startResource, entries, promoted } = this.rung(level);
    const untilResource = this.rung(level + 1).resource;
    if (untilResource - startResource > affordable) return undefined;
    const top = best(entries, Math.floor(entries.length / this.options.eta));
    const next = top.find(({ trial }) => !promoted.has(trial) && this.trials.isIn('stop', trial));
    if (!next) return undefined;
    promoted.add(next.trial);
    this.trials.move(next.trial, 'live');
    this.aims.set(next.trial, level + 1);
    return { trial: this.trials.get(next.trial), startResource, untilResource };
  }

  report(trial: number, resource: number, score: number): Advice {
    const level = this.aims.get(trial) ?? 0;
    const rung = this.rung(level);
    if (resource < rung.resource) return 'go-on';
    rung.entries.push({ trial, score });
    const isLast = level === this.rungs.length - 1;
    this.trials.move(trial, isLast ? 'finished' : 'stop');
    return isLast ? 'stop' : 'pause';
  }

  ended(trial: number, outcome: TrialOutcome): void {
    this.trials.move(trial, outcome === 'failed' ? 'dead' : 'finished');
  }

  pools(): Pools {
    return this.trials.all();
  }

  private rung(level: number): Rung {
    const rung = this.rungs[level];
    if (!rung) throw new RangeError(`There is no rung ${level}.`);
    return rung;
  }
}

export const asha = defineAlgorithm(
  'asha',
  { minResource: z.number().positive().default(1), eta: z.number().min(2).max(64).default(3) },
  (options, problem) => new Asha(options, problem),
);
