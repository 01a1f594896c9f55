import { seededRandom } from '../../../base';
import type { Advice, Assignment } from '../algorithms/algorithm';
import type { SearchSession } from '../search-session';
import type { CurveTrainings } from './learning-curves';

interface Worker {
  readonly assignment: Assignment;
  resource: number;
  readyAt: number;
  readonly speed: number;
}

interface Simulation {
  readonly trainings: CurveTrainings;
  readonly seed: number;
  /** That a unit of training ends in a failure. */
  readonly failureChance?: number;
  readonly onAssigned?: (assignment: Assignment) => void;
  readonly onReported?: (trial: number, resource: number, metric: number, advice: Advice) => void;
  /** Units trained, reported or not. */
  readonly onUnit?: () => void;
}

/** Takes a search to its end on workers of different speed, without runs, stores or waiting. @returns how it ended. */
export function simulate(session: SearchSession, options: Simulation): 'done' | 'gave-up' {
  const { trainings, failureChance = 0 } = options;
  const { parallel } = session.plan;
  const random = seededRandom(options.seed);
  const workers: Worker[] = [];
  let now = 0;
  for (;;) {
    while (workers.length < parallel) {
      const next = session.next();
      if (next === 'wait') break;
      if (next === 'done' || next === 'gave-up') {
        if (workers.length === 0) return next;
        break;
      }
      options.onAssigned?.(next);
      const { trial, startResource } = next;
      if (session.trials[trial.id]?.segments === 1) trainings.begin(trial.id, trial.from);
      const speed = 0.5 + random();
      workers.push({ assignment: next, resource: startResource, readyAt: now + speed, speed });
    }
    const worker = workers.reduce((first, other) => (other.readyAt < first.readyAt ? other : first));
    now = worker.readyAt;
    worker.readyAt += worker.speed;
    const { trial } = worker.assignment;
    if (random() < failureChance) {
      session.ended(trial.id, 'failed');
      workers.splice(workers.indexOf(worker), 1);
      continue;
    }
    worker.resource += 1;
    options.onUnit?.();
    const metric = trainings.train(trial.id, trial.parameters, worker.resource);
    const advice = session.report(trial.id, worker.resource, metric);
    if (advice === 'stale') throw new Error(`Trial ${trial.id} reported ${worker.resource} twice.`);
    options.onReported?.(trial.id, worker.resource, metric, advice);
    if (advice !== 'go-on') workers.splice(workers.indexOf(worker), 1);
  }
}
