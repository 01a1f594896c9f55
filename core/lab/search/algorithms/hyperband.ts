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
import { HalvingBracket } from './halving-bracket';
import { rungsOf } from './rungs';
import { TrialPools } from './trial-pools';

interface Options {
  readonly minResource: number;
  readonly eta: number;
}

/**
 * Hyperband: Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (JMLR 18, 2018, arXiv
 * 1603.06560), algorithm 1: brackets of successive halving, from many trials with little each to few with all of it.
 * Brackets are opened as long as the budget covers a whole one; while a bracket waits for its last trials, the next is
 * opened. Trials go on from their checkpoints, so a promotion costs the difference.
 */
class Hyperband implements SearchAlgorithm {
  private readonly trials = new TrialPools();
  private readonly rungs: readonly number[];
  private open: readonly HalvingBracket[] = [];
  private readonly bracketOf = new Map<number, HalvingBracket>();
  private opened = 0;

  constructor(
    private readonly options: Options,
    private readonly problem: SearchProblem,
  ) {
    checkAtMost('algorithm.minResource', options.minResource, 'maxResource', problem.maxResource);
    this.rungs = rungsOf(options.minResource, problem.maxResource, options.eta);
  }

  suggest(affordable: number): Suggestion {
    for (const bracket of this.open) {
      const next = this.nextOf(bracket);
      if (next) return next;
    }
    const bracket = this.openBracket(affordable);
    return (bracket && this.nextOf(bracket)) ?? this.trials.idle();
  }

  private nextOf(bracket: HalvingBracket): Assignment | undefined {
    const { trials } = this;
    const step = bracket.next(() => trials.add(firstPoint(this.problem, trials.count)).id);
    if (!step) return undefined;
    const { trial, startResource, untilResource } = step;
    this.bracketOf.set(trial, bracket);
    trials.move(trial, 'live');
    return { trial: trials.get(trial), startResource, untilResource };
  }

  /** The next of the round; where the budget does not cover it, the first after it that is covered. */
  private openBracket(affordable: number): HalvingBracket | undefined {
    const granted = this.open.reduce((sum, bracket) => sum + bracket.openCost(), 0);
    const count = this.rungs.length;
    for (let skipped = 0; skipped < count; skipped += 1) {
      const bracket = new HalvingBracket(this.rungs, (this.opened + skipped) % count, this.options.eta);
      const hasRoom = this.trials.count + bracket.width <= this.problem.maxTrials;
      if (!hasRoom || granted + bracket.openCost() > affordable) continue;
      this.opened += skipped + 1;
      this.open = [...this.open, bracket];
      return bracket;
    }
    return undefined;
  }

  report(trial: number, resource: number, score: number): Advice {
    const bracket = this.bracket(trial);
    if (resource < bracket.untilResource) return 'go-on';
    const isLast = bracket.isAtTop;
    this.trials.move(trial, isLast ? 'finished' : 'stop');
    this.settle(bracket, bracket.scored(trial, score));
    return isLast || this.trials.isIn('dead', trial) ? 'stop' : 'pause';
  }

  ended(trial: number, outcome: TrialOutcome): void {
    const bracket = this.bracket(trial);
    this.trials.move(trial, outcome === 'failed' ? 'dead' : 'finished');
    this.settle(bracket, bracket.lost());
  }

  /** @param fallen go no further: the bracket moved on without them. */
  private settle(bracket: HalvingBracket, fallen: readonly number[]): void {
    for (const trial of fallen) if (this.trials.isIn('stop', trial)) this.trials.move(trial, 'dead');
    if (bracket.isOver) this.open = this.open.filter((other) => other !== bracket);
  }

  pools(): Pools {
    return this.trials.all();
  }

  private bracket(trial: number): HalvingBracket {
    const bracket = this.bracketOf.get(trial);
    if (!bracket) throw new RangeError(`Trial ${trial} is in no bracket.`);
    return bracket;
  }
}

export const hyperband = defineAlgorithm(
  'hyperband',
  { minResource: z.number().positive().default(1), eta: z.number().min(2).max(64).default(3) },
  (options, problem) => new Hyperband(options, problem),
);
