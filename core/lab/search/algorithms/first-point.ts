import { sample, trialRandom } from '../space/sampling';
import type { Parameters } from '../space/search-space';
import type { SearchProblem } from './algorithm';

/** What a trial that begins from nothing is given: what the search was told to begin with, then points of the space. */
export function firstPoint({ space, seed, first }: SearchProblem, trial: number): Parameters {
  return sample(space, trialRandom(seed, trial), first?.[trial]);
}
