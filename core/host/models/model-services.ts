import type { Jobs } from '../jobs';
import type { LoadedModels } from './loaded-models';
import type { Models } from './models';
import type { Planner } from './planner';

/** The part of the services that networks on this device are run with. */
export interface ModelServices {
  readonly jobs: Jobs;
  readonly models: Models;
  readonly planner: Planner;
  readonly loaded: LoadedModels;
}
