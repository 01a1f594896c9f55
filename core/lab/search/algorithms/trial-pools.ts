import type { Parameters } from '../space/search-space';
import type { Pool, Pools, Trial, TrialCheckpoint } from './algorithm';

/** The trials of a search, numbered as they come, and the pool each is in. */
export class TrialPools {
  private readonly trials: Trial[] = [];
  private readonly members: Readonly<Record<Pool, Set<number>>> = {
    live: new Set(),
    stop: new Set(),
    dead: new Set(),
    finished: new Set(),
  };

  /** Also the number of the next trial. */
  get count(): number {
    return this.trials.length;
  }

  /** A new trial, live. */
  add(parameters: Parameters, from?: TrialCheckpoint): Trial {
    const trial: Trial = { id: this.trials.length, parameters, ...(from ? { from } : {}) };
    this.trials.push(trial);
    this.members.live.add(trial.id);
    return trial;
  }

  get(id: number): Trial {
    const trial = this.trials[id];
    if (!trial) throw new RangeError(`There is no trial ${id}.`);
    return trial;
  }

  move(id: number, pool: Pool): void {
    for (const members of Object.values(this.members)) members.delete(id);
    this.members[pool].add(id);
  }

  sizeOf(pool: Pool): number {
    return this.members[pool].size;
  }

  isIn(pool: Pool, id: number): boolean {
    return this.members[pool].has(id);
  }

  in(pool: Pool): readonly number[] {
    return [...this.members[pool]];
  }

  all(): Pools {
    return {
      live: this.in('live'),
      stop: this.in('stop'),
      dead: this.in('dead'),
      finished: this.in('finished'),
    };
  }

  /** What to answer when there is nothing to start: a live trial may still give back what it was granted. */
  idle(): 'wait' | 'done' {
    return this.members.live.size > 0 ? 'wait' : 'done';
  }
}
