import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { hasEnded } from '../../jobs/job-state';
import type { RunService } from '../../runs/run-service';
import type { LabRun, RunParent } from '../../runs/run-types';
import type { Metric } from '../../tracking/tracking-types';
import type { BatchOfRun, TrackingStore } from '../../tracking/tracking-store';
import type { TrialCheckpoint, TrialOutcome } from '../algorithms/algorithm';
import type { TrialListener, TrialRunner, TrialTask } from '../driver/trial-runner';
import { lastStep, trialArguments, trialEnvironment } from './launch-plan';
import type { TrialRun, TrialRunStore } from './trial-run-store';

export interface RunTrialsOptions {
  readonly runs: RunService;
  readonly tracking: TrackingStore;
  readonly store: TrialRunStore;
  readonly clock: Clock;
}

interface Watched {
  readonly task: TrialTask;
  readonly listener: TrialListener;
}

/** Who keeps the code of a search's trials. */
export function codeHolder(search: string): string {
  return `search-${search}`;
}

/**
 * Trials as runs of the lab. Whatever a program logs of the wanted metric is a report, its step the resource; each time
 * a trial goes on, that is another run, from the checkpoint that the one before left. Which run is whose is written
 * before the run can begin, so that a task is never started twice.
 */
export class RunTrials implements TrialRunner {
  private readonly watched = new Map<string, Watched>();
  private readonly launching = new Map<string, Promise<TrialRun>>();
  private readonly endWaits = new Set<() => void>();
  private readonly unwatch: readonly (() => void)[];

  constructor(private readonly options: RunTrialsOptions) {
    const { tracking, runs } = options;
    this.unwatch = [
      tracking.watch((batch) => this.onLogged(batch)),
      runs.watch((run) => {
        if (hasEnded(run)) this.onEnded(run);
      }),
    ];
  }

  async start(task: TrialTask, from: TrialCheckpoint | undefined, listener: TrialListener): Promise<void> {
    await this.launchAndAttach(task, listener, () => (from ? this.checkpointOf(task, from) : undefined));
  }

  async resume(task: TrialTask, listener: TrialListener): Promise<void> {
    const own = { trial: task.trial, resource: task.startResource };
    await this.launchAndAttach(task, listener, () => this.parentAt(task.search, own));
  }

  async stop(key: string): Promise<void> {
    await this.launching.get(key)?.catch(() => undefined);
    const run = this.options.store.find(key);
    if (!run) return;
    this.watched.delete(run.runId);
    const { finishMs } = this.options.store.planOf(run.search);
    // Whoever has reported the last step still writes its checkpoint, and ends by itself.
    await this.untilEnded(run.runId, this.hasReachedEnd(run) ? finishMs : 0);
  }

  async discard(search: string, trial: number): Promise<void> {
    const { store, runs } = this.options;
    if (store.planOf(search).keepCheckpoints) return;
    for (const { runId } of store.runsOf(search, trial)) {
      if (runs.find(runId)) await runs.removeCheckpoints(runId);
    }
  }

  /** Runs go on. Resolves when none is being launched any more. */
  async close(): Promise<void> {
    for (const unwatch of this.unwatch) unwatch();
    this.watched.clear();
    for (const end of this.endWaits) end();
    await Promise.allSettled(this.launching.values());
  }

  private async launchAndAttach(
    task: TrialTask,
    listener: TrialListener,
    parent: () => Promise<RunParent | undefined> | undefined,
  ): Promise<void> {
    const { key } = task;
    const known = this.launching.get(key) ?? this.runOf(key);
    if (known) {
      this.attach((await known).runId, task, listener);
      return;
    }
    const launching = this.launch(task, parent).finally(() => this.launching.delete(key));
    this.launching.set(key, launching);
    this.attach((await launching).runId, task, listener);
  }

  /** That was launched under the key. One that was cut off before it could run is launched once more. */
  private runOf(key: string): TrialRun | undefined {
    const run = this.options.store.find(key);
    return run && !this.options.runs.isBroken(run.runId) ? run : undefined;
  }

  private async launch(
    task: TrialTask,
    parent: () => Promise<RunParent | undefined> | undefined,
  ): Promise<TrialRun> {
    const { runs, store } = this.options;
    const { search, trial, key, metric, startResource, untilResource } = task;
    const plan = store.planOf(search);
    const { user, dataset, resources, engine, entry, image, priority, limitMs } = plan;
    const from = await parent();
    const cutOff = store.find(key);
    const { runId } = await runs.launchHeld({
      user,
      code: codeHolder(search),
      entry,
      resources,
      engine,
      priority,
      ...(dataset !== undefined && { dataset }),
      ...(image !== undefined && { image }),
      ...(limitMs !== undefined && { limitMs }),
      ...(from && { from }),
      args: trialArguments(plan, task),
      environment: trialEnvironment(plan, task),
      tags: [
        { key: 'sluice.search', value: search },
        { key: 'sluice.trial', value: String(trial) },
        { key: 'sluice.parameters', value: JSON.stringify(task.parameters) },
      ],
      onCreated: (created) =>
        store.setRun({ key, search, trial, metric, startResource, untilResource, runId: created }),
    });
    if (cutOff) await runs.remove(cutOff.runId);
    return { key, search, trial, metric, startResource, untilResource, runId };
  }

  /** Of another trial, which must have left one. */
  private async checkpointOf({ search, trial }: TrialTask, from: TrialCheckpoint): Promise<RunParent> {
    const parent = await this.parentAt(search, from);
    if (parent?.checkpoint !== undefined) return parent;
    throw new SluiceError(
      'not-found',
      `Trial ${trial} of "${search}" is to go on from trial ${from.trial} at ${from.resource}, which left no artifact below ` +
        '"checkpoints/". Let the program write one there before it logs the metric.',
      { search, trial, from: from.trial },
    );
  }

  /** The run of a trial that reached a resource, and the checkpoint that it has of it. */
  private async parentAt(
    search: string,
    { trial, resource }: TrialCheckpoint,
  ): Promise<RunParent | undefined> {
    const run = this.options.store
      .runsOf(search, trial)
      .findLast(({ startResource }) => startResource < resource);
    return run && this.options.runs.checkpointAt(run.runId, resource);
  }

  /** What was logged before comes first, then what is logged from now on, and the end. */
  private attach(runId: string, task: TrialTask, listener: TrialListener): void {
    const watched = { task, listener };
    this.watched.set(runId, watched);
    this.deliver(runId, watched, this.reportsOf(runId, task.metric));
    const run = this.options.runs.get(runId);
    if (hasEnded(run)) this.onEnded(run);
  }

  private reportsOf(runId: string, metric: string): readonly Metric[] {
    const points = this.options.tracking.history(runId, metric);
    return Array.from({ length: points.length }, (_, index) => ({ key: metric, ...points.at(index) }));
  }

  private onLogged({ runId, metrics }: BatchOfRun): void {
    const watched = this.watched.get(runId);
    if (watched) this.deliver(runId, watched, metrics);
  }

  /** In a turn of its own: whoever listens may do much, and whoever logged waits. */
  private deliver(runId: string, watched: Watched, metrics: readonly Metric[]): void {
    const { task, listener } = watched;
    const own = metrics
      .filter(({ key }) => key === task.metric)
      .map(({ step, value }) => ({ resource: Number(step), value }))
      .filter(({ resource }) => resource > task.startResource)
      .sort((a, b) => a.resource - b.resource);
    if (own.length === 0) return;
    queueMicrotask(() => {
      for (const { resource, value } of own) {
        if (this.watched.get(runId) === watched) listener.report(resource, value);
      }
    });
  }

  private onEnded(run: LabRun): void {
    const watched = this.watched.get(run.runId);
    if (!watched) return;
    queueMicrotask(() => {
      if (this.watched.get(run.runId) !== watched) return;
      this.watched.delete(run.runId);
      watched.listener.ended(...this.outcomeOf(run, watched.task));
    });
  }

  private outcomeOf(run: LabRun, { metric }: TrialTask): [TrialOutcome, string?] {
    const { state, name, reason } = run;
    if (state !== 'succeeded') {
      const how = `${name} ${state === 'lost' ? 'was lost' : state}`;
      return ['failed', reason === undefined ? `${how}.` : `${how}: ${reason.replace(/\.$/, '')}.`];
    }
    if (this.options.tracking.history(run.runId, metric).length > 0) return ['completed'];
    return ['failed', `${name} ended without logging "${metric}", which the search is for.`];
  }

  private hasReachedEnd({ runId, metric, untilResource }: TrialRun): boolean {
    const last = lastStep(untilResource);
    return this.reportsOf(runId, metric).some(({ step }) => Number(step) >= last);
  }

  /** Asks it to end after `patienceMs`. */
  private untilEnded(runId: string, patienceMs: number): Promise<void> {
    const { runs, clock } = this.options;
    return new Promise((resolve, reject) => {
      const release = (): void => {
        cancel();
        unwatch();
        this.endWaits.delete(release);
      };
      const look = (state: string): void => {
        if (!hasEnded({ state })) return;
        release();
        resolve();
      };
      const unwatch = runs.watch((run) => {
        if (run.runId === runId) look(run.state);
      });
      const cancel = clock.after(patienceMs, () => {
        try {
          look(runs.stop(runId).state);
        } catch (thrown) {
          release();
          reject(SluiceError.from(thrown));
        }
      });
      this.endWaits.add(release);
      look(runs.get(runId).state);
    });
  }
}
