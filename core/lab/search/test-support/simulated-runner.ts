import { trialRandom } from '../space/sampling';
import type { TrialCheckpoint } from '../algorithms/algorithm';
import type { TrialListener, TrialRunner, TrialTask } from '../driver/trial-runner';
import type { CurveTrainings } from './learning-curves';

interface Training {
  readonly task: TrialTask;
  readonly history: { readonly resource: number; readonly metric: number }[];
  readonly unitTime: number;
  resource: number;
  readyAt: number;
  state: 'running' | 'completed' | 'failed' | 'stopped';
  listener: TrialListener;
}

/**
 * Trainings on a virtual clock that go on whoever listens. How fast one is and where it fails depends on its key
 * alone, so that whatever happens around it can't change it.
 */
export class SimulatedRunner implements TrialRunner {
  readonly starts: string[] = [];
  readonly stops: string[] = [];
  readonly discards = new Set<number>();
  /** Thrown by the next start, once. */
  refusal: Error | undefined;
  private readonly trainings = new Map<string, Training>();
  private now = 0;

  constructor(
    private readonly curves: CurveTrainings,
    private readonly failureChance: number,
  ) {}

  start(task: TrialTask, from: TrialCheckpoint | undefined, listener: TrialListener): Promise<void> {
    if (!this.trainings.has(task.key)) {
      if (from && this.discards.has(from.trial)) throw new Error(`The checkpoint of ${from.trial} is gone.`);
      this.curves.begin(task.trial, from);
    }
    return this.resume(task, listener);
  }

  async resume(task: TrialTask, listener: TrialListener): Promise<void> {
    await Promise.resolve();
    const known = this.trainings.get(task.key);
    if (known) {
      this.attach(known, task.startResource, listener);
      return;
    }
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal) throw refusal;
    if (this.discards.has(task.trial)) throw new Error(`The checkpoint of ${task.trial} is gone.`);
    this.curves.qualityAt(task.trial, task.startResource);
    if (this.runningOf(task.trial)) throw new Error(`Trial ${task.trial} runs already.`);
    this.starts.push(task.key);
    const segment = Number(task.key.split('-').at(-1));
    const unitTime = 0.5 + trialRandom(segment, task.trial)();
    const readyAt = this.now + unitTime;
    const { startResource: resource } = task;
    this.trainings.set(task.key, {
      task,
      history: [],
      unitTime,
      resource,
      readyAt,
      state: 'running',
      listener,
    });
  }

  private attach(training: Training, after: number, listener: TrialListener): void {
    training.listener = listener;
    queueMicrotask(() => {
      for (const { resource, metric } of training.history)
        if (resource > after) listener.report(resource, metric);
      const { state } = training;
      if (state === 'completed' || state === 'failed') listener.ended(state, 'It said no.');
    });
  }

  async stop(key: string): Promise<void> {
    await Promise.resolve();
    this.stops.push(key);
    const training = this.trainings.get(key);
    if (training?.state === 'running') training.state = 'stopped';
  }

  discard(_search: string, trial: number): Promise<void> {
    if (this.runningOf(trial)) throw new Error(`Trial ${trial} is still running.`);
    this.discards.add(trial);
    return Promise.resolve();
  }

  running(): readonly string[] {
    return [...this.trainings.values()]
      .filter(({ state }) => state === 'running')
      .map(({ task }) => task.key);
  }

  private runningOf(trial: number): boolean {
    return [...this.trainings.values()].some(
      ({ task, state }) => task.trial === trial && state === 'running',
    );
  }

  /** What comes next on the clock. @returns false when nothing runs. */
  step(): boolean {
    const running = [...this.trainings.values()].filter(({ state }) => state === 'running');
    if (running.length === 0) return false;
    const next = running.reduce((first, other) => (other.readyAt < first.readyAt ? other : first));
    this.now = next.readyAt;
    next.readyAt += next.unitTime;
    const { task, listener } = next;
    if (next.resource >= task.untilResource) {
      next.state = 'completed';
      listener.ended('completed');
      return true;
    }
    if (trialRandom(task.trial, next.resource)() < this.failureChance) {
      next.state = 'failed';
      listener.ended('failed', 'It said no.');
      return true;
    }
    next.resource += 1;
    const metric = this.curves.train(task.trial, task.parameters, next.resource);
    next.history.push({ resource: next.resource, metric });
    listener.report(next.resource, metric);
    return true;
  }
}
