import { runConvergence } from './convergence';
import type { ConvergenceJob, ConvergenceResult } from './convergence';
import { runDecisionTimes } from './decision-times';
import type { DecisionTimeJob, DecisionTimeResult } from './decision-times';
import { runGrid } from './grid';
import type { GridJob, GridResult } from './grid';
import { runManyUsers } from './many-users';
import type { ManyUsersJob, ManyUsersResult } from './many-users';
import { runSensitivity } from './sensitivity';
import type { SensitivityJob, SensitivityResult } from './sensitivity';

/** One independent, seeded piece of the bench; plain data, so that a worker can take it. */
export type Job = GridJob | ConvergenceJob | SensitivityJob | ManyUsersJob | DecisionTimeJob;
export type JobResult =
  GridResult | ConvergenceResult | SensitivityResult | ManyUsersResult | DecisionTimeResult;

export function runJob(job: Job): JobResult {
  switch (job.kind) {
    case 'grid':
      return runGrid(job);
    case 'convergence':
      return runConvergence(job);
    case 'sensitivity':
      return runSensitivity(job);
    case 'many-users':
      return runManyUsers(job);
    case 'decision-times':
      return runDecisionTimes(job);
  }
}
