import type { Advice, Pools, SearchAlgorithm, SearchProblem, Suggestion, TrialOutcome } from './algorithm';
import { defineAlgorithm } from './define-algorithm';
import { firstPoint } from './first-point';
import { TrialPools } from './trial-pools';

/** Random search (Bergstra and Bengio, JMLR 13, 2012): independent points, each trained to the end. */
class RandomSearch implements SearchAlgorithm {
  private readonly trials = new TrialPools();

  constructor(private readonly problem: SearchProblem) {}

  suggest(affordable: number): Suggestion {
    const { trials } = this;
    const { maxResource, maxTrials } = this.problem;
    if (trials.count >= maxTrials || affordable < maxResource) return trials.idle();
    const trial = trials.add(firstPoint(this.problem, trials.count));
    return { trial, startResource: 0, untilResource: maxResource };
  }

  report(trial: number, resource: number): Advice {
    if (resource < this.problem.maxResource) return 'go-on';
    this.trials.move(trial, 'finished');
    return 'stop';
  }

  ended(trial: number, outcome: TrialOutcome): void {
    this.trials.move(trial, outcome === 'failed' ? 'dead' : 'finished');
  }

  pools(): Pools {
    return this.trials.all();
  }
}

export const random = defineAlgorithm('random', {}, (_options, problem) => new RandomSearch(problem));
