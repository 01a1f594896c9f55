import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import type { Assignment, Pools, TrialOutcome } from '../algorithms/algorithm';
import type { SearchSession, TrialRecord } from '../search-session';
import { parseSearch } from '../search-settings';
import { replay, type OpenTask } from './replay';
import type { SearchEvent, SearchState, SearchStore } from './search-store';
import type { OnFault, TrialListener, TrialRunner, TrialTask } from './trial-runner';

export interface SearchDriverOptions {
  readonly store: SearchStore;
  readonly runner: TrialRunner;
  readonly clock: Clock;
  readonly onFault: OnFault;
}

export interface SearchStatus {
  readonly id: string;
  readonly state: SearchState;
  readonly reason?: string;
  readonly spentResource: number;
  readonly budget: number;
  readonly trials: readonly TrialRecord[];
  readonly pools: Pools;
  readonly best?: TrialRecord;
}

interface Task {
  readonly key: string;
  readonly trial: number;
  /** Whose checkpoint it needs until it is started. */
  from: number | undefined;
  isHalting: boolean;
  /** Resolved when the runner knows of it. */
  started: Promise<void>;
}

/**
 * Takes one search through its trials, so many at a time as its settings say. Each step is stored before it is acted
 * upon, and whatever was stored is acted upon again after an interruption: the end of the process at any moment loses
 * no trial and repeats none.
 */
export class SearchDriver {
  private readonly tasks = new Map<string, Task>();
  private readonly discarded = new Set<number>();
  private readonly waiting: (() => void)[] = [];
  private state: SearchState;
  private reason: string | undefined;
  private isOpen = false;
  private isStarted = false;

  private constructor(
    readonly id: string,
    private readonly options: SearchDriverOptions,
    private readonly session: SearchSession,
    private readonly unfinished: readonly OpenTask[],
    private seq: number,
    private lastFailure: string | undefined,
  ) {
    const { state, reason } = options.store.get(id);
    this.state = state;
    this.reason = reason;
  }

  /** A new search; `start` sets it going. @throws SluiceError `bad-input` naming every fault, `conflict`. */
  static create(id: string, settings: unknown, options: SearchDriverOptions): SearchDriver {
    parseSearch(settings);
    options.store.add(id, settings, options.clock.nowMs());
    return SearchDriver.open(id, options);
  }

  /** A search from the store. @throws SluiceError `not-found`, `stale-store`. */
  static open(id: string, options: SearchDriverOptions): SearchDriver {
    const { settings } = options.store.get(id);
    const events = options.store.events(id);
    const { session, open, lastFailure } = replay(id, settings, events);
    return new SearchDriver(id, options, session, open, events.length, lastFailure);
  }

  /**
   * Begins, or goes on where it was interrupted. Of a search that is over, trials that were to be ended are ended.
   * Once: after an interruption another driver takes it up.
   */
  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    this.isOpen = true;
    const isOver = this.isOver();
    if (!isOver) this.setState('running');
    for (const { assignment, segment, isHalting } of this.unfinished) {
      if (isHalting || isOver) this.halt(this.taskOf(assignment, segment));
      else this.launch(assignment, segment);
    }
    this.goOn();
  }

  /** Resolves when it is over or interrupted. */
  settled(): Promise<SearchStatus> {
    return new Promise((resolve) => {
      const answer = (): void => resolve(this.status());
      if (this.isOpen && (this.state === 'running' || this.tasks.size > 0)) this.waiting.push(answer);
      else answer();
    });
  }

  status(): SearchStatus {
    const { session, id, state, reason } = this;
    const best = session.best();
    return {
      id,
      state,
      ...(reason === undefined ? {} : { reason }),
      spentResource: session.spentResource,
      budget: session.plan.budget,
      trials: session.trials,
      pools: session.pools(),
      ...(best ? { best } : {}),
    };
  }

  /** Ends its trials, and the search for good; resolves when they have ended. */
  async stop(): Promise<void> {
    if (!this.isOver()) this.setState('stopped');
    this.start();
    for (const task of this.tasks.values()) if (!task.isHalting) this.halt(task);
    await this.settled();
  }

  /** Lets go of it; its trials go on, and another driver takes it up. */
  close(): void {
    this.isOpen = false;
    this.tasks.clear();
    this.notify();
  }

  private isOver(): boolean {
    return this.state === 'done' || this.state === 'stopped' || this.state === 'failed';
  }

  /** Fills the free places. */
  private goOn(): void {
    while (this.isOpen && this.state === 'running' && this.tasks.size < this.session.plan.parallel) {
      const next = this.session.next();
      if (next === 'wait') break;
      if (next === 'done' || next === 'gave-up') {
        // What was told to end may still be ending.
        if (this.tasks.size === 0) this.finish(next);
        break;
      }
      const { id: trial } = next.trial;
      if (!this.append({ kind: 'assigned', trial, decision: JSON.stringify(next) })) break;
      this.launch(next, this.session.trials[trial]?.segments ?? 1);
    }
    this.discardDead();
  }

  private finish(how: 'done' | 'gave-up'): void {
    if (how === 'done') this.setState('done');
    else {
      const { maxFailures } = this.session.plan;
      const because = this.lastFailure === undefined ? '' : ` The last one: ${this.lastFailure}`;
      this.setState('failed', `${maxFailures} trials failed one after another.${because}`);
    }
    this.notify();
  }

  private keyOf(trial: number, segment: number): string {
    return `${this.id}-${trial}-${segment}`;
  }

  private taskOf({ trial }: Assignment, segment: number): Task {
    const key = this.keyOf(trial.id, segment);
    const task: Task = {
      key,
      trial: trial.id,
      from: segment === 1 ? trial.from?.trial : undefined,
      isHalting: false,
      started: Promise.resolve(),
    };
    this.tasks.set(key, task);
    return task;
  }

  private launch(assignment: Assignment, segment: number): void {
    const { trial, untilResource, checkpointEvery } = assignment;
    const task = this.taskOf(assignment, segment);
    const wanted: TrialTask = {
      key: task.key,
      search: this.id,
      trial: trial.id,
      parameters: trial.parameters,
      metric: this.session.plan.metric.name,
      startResource: this.session.trials[trial.id]?.resource ?? assignment.startResource,
      untilResource,
      ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
    };
    const listener: TrialListener = {
      report: (resource, metric) => this.onReport(task, resource, metric),
      ended: (outcome, reason) => this.onEnded(task, outcome, reason),
    };
    const { runner } = this.options;
    task.started = this.afterEarlier(task)
      .then(() =>
        segment === 1 ? runner.start(wanted, trial.from, listener) : runner.resume(wanted, listener),
      )
      .then(() => {
        task.from = undefined;
        this.discardDead();
      })
      .catch((thrown: unknown) => this.onStartFailure(task, SluiceError.from(thrown)));
  }

  /** A trial goes on only when what ran of it before has ended. */
  private async afterEarlier(task: Task): Promise<void> {
    const earlier = [...this.tasks.values()].filter(
      (other) => other.trial === task.trial && other.key !== task.key,
    );
    await Promise.all(earlier.map(({ key, started }) => started.then(() => this.options.runner.stop(key))));
  }

  private onReport(task: Task, resource: number, metric: number): void {
    if (!this.isCurrent(task)) return;
    const advice = this.session.report(task.trial, resource, metric);
    if (advice === 'stale') return;
    if (!this.append({ kind: 'reported', trial: task.trial, resource, metric, decision: advice })) return;
    if (advice !== 'go-on') this.halt(task);
    this.goOn();
  }

  private onEnded(task: Task, outcome: TrialOutcome, reason?: string): void {
    if (!this.isCurrent(task)) return;
    this.session.ended(task.trial, outcome);
    if (outcome === 'failed') this.lastFailure = reason;
    const because = reason === undefined ? {} : { reason };
    if (!this.append({ kind: 'ended', trial: task.trial, decision: outcome, ...because })) return;
    this.tasks.delete(task.key);
    this.goOn();
  }

  private isCurrent(task: Task): boolean {
    return this.isOpen && !task.isHalting && this.tasks.get(task.key) === task;
  }

  private onStartFailure(task: Task, error: SluiceError): void {
    if (!this.isCurrent(task)) return;
    const isForLater = error.code === 'unavailable' || error.code === 'overloaded';
    if (isForLater) this.interrupt(error);
    else this.onEnded(task, 'failed', error.message);
  }

  /** The advice is stored: the trial ends, and its place is free when it has. */
  private halt(task: Task): void {
    task.isHalting = true;
    task.started
      .then(() => this.options.runner.stop(task.key))
      .then(() => {
        if (!this.isOpen || this.tasks.get(task.key) !== task) return;
        if (!this.append({ kind: 'freed', trial: task.trial, decision: 'ended' })) return;
        this.tasks.delete(task.key);
        this.goOn();
        if (this.isOver() && this.tasks.size === 0) this.notify();
      })
      .catch((thrown: unknown) => this.interrupt(SluiceError.from(thrown)));
  }

  private discardDead(): void {
    if (!this.isOpen) return;
    const held = new Set([...this.tasks.values()].flatMap(({ trial, from }) => [trial, from]));
    for (const trial of this.session.pools().dead) {
      if (held.has(trial) || this.discarded.has(trial)) continue;
      this.discarded.add(trial);
      this.options.runner
        .discard(this.id, trial)
        .catch((thrown: unknown) => this.options.onFault(SluiceError.from(thrown)));
    }
  }

  /** @returns false when it could not be stored: the search is then interrupted, and goes on from the step before. */
  private append(event: SearchEvent): boolean {
    try {
      this.options.store.append(this.id, this.seq, event, this.options.clock.nowMs());
      this.seq += 1;
      return true;
    } catch (thrown) {
      this.interrupt(SluiceError.from(thrown, 'io'));
      return false;
    }
  }

  private interrupt(error: SluiceError): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.tasks.clear();
    this.options.onFault(error);
    try {
      this.setState('interrupted', error.message);
    } catch (thrown) {
      this.options.onFault(SluiceError.from(thrown, 'io'));
    }
    this.notify();
  }

  private setState(state: SearchState, reason?: string): void {
    this.state = state;
    this.reason = reason;
    this.options.store.setState(this.id, state, reason);
  }

  private notify(): void {
    for (const answer of this.waiting.splice(0)) answer();
  }
}
