import type { LabLaunch, LabResources, LabRunPlan } from '../../../contract';
import { splitArguments } from '../split-arguments';

export const DEFAULT_RESOURCES: LabResources = { cpus: 1, gpus: 0, memoryBytes: 2 ** 30 };

/** Arguments as a list, and all resources: what is not said is as in `before`. */
export function planOf({ args, resources, ...rest }: LabRunPlan, before: LabResources): object {
  return {
    ...rest,
    ...(args !== undefined && { args: splitArguments(args) }),
    resources: { ...before, ...resources },
  };
}

/** A run as the lab takes it, with its defaults where nothing is said. */
export function launchOf({ folder, entry, dataset, ...plan }: LabLaunch): object {
  return {
    folder,
    entry,
    ...(dataset !== undefined && { dataset }),
    args: [],
    environment: {},
    engine: 'local',
    priority: 0,
    ...planOf(plan, DEFAULT_RESOURCES),
  };
}
