import { randomUUID } from 'node:crypto';

import { SluiceError } from '../../contract';
import type { MeasuredPoint, RunRecord, RunRequest, TraceColumns } from '../../contract';
import type { EventBus } from '../event-bus';
import { isoTime } from '../host-clock';
import type { HostClock } from '../host-clock';
import { inputName } from '../inputs/load-input';
import type { RunPlan } from '../planner';
import type { Log, StateFile } from '../state-file';
import { KEPT_RUNS } from './run-history';
import { runLoop } from './run-loop';
import { LatencyRecord } from './run-stats';
import type { RunTask, TaskAnswer } from './run-task';

/** Traces kept: the latest inference of each of the last runs. */
const KEPT_TRACES = 20;
/** `run` and `result` events of one run come at most this often. */
const EVENT_EVERY_MS = 100;

export interface RunsParts {
  readonly bus: EventBus;
  readonly clock: HostClock;
  /** Refuses what can't run, before the run exists. @throws SluiceError */
  readonly plan: (request: RunRequest) => RunPlan;
  /** Loads models and input. */
  readonly open: (request: RunRequest, plan: RunPlan) => Promise<RunTask>;
  readonly recordMeasurement: (plan: RunPlan, point: MeasuredPoint) => Promise<void>;
  /** Absent: runs are forgotten with the process. */
  readonly history?: StateFile<readonly RunRecord[]>;
  readonly past?: readonly RunRecord[];
  readonly log: Log;
}

export interface StartOptions {
  /** A continuous run ends after so many inferences. */
  readonly inferences?: number;
}

interface Run {
  record: RunRecord;
  readonly request: RunRequest;
  readonly abort: AbortController;
  readonly latencies: LatencyRecord;
  latest?: TaskAnswer;
  trace?: TaskAnswer['trace'];
  toldMs: number;
  ended: Promise<RunRecord>;
}

/** All runs: each is `running` until it becomes `done`, `failed` or `cancelled`, once and for good. */
export class Runs {
  /** In the order started. */
  private readonly runs = new Map<string, Run>();
  private past: readonly RunRecord[];

  constructor(private readonly parts: RunsParts) {
    this.past = parts.past ?? [];
  }

  /** Newest first. */
  list(): readonly RunRecord[] {
    const own = [...this.runs.values()].map(({ record }) => record).reverse();
    return [...own, ...this.past].slice(0, KEPT_RUNS);
  }

  /**
   * Starts a run and returns its id; events tell the rest.
   * @throws SluiceError when it can't run as asked: `not-found`, `stale-store`, `budget-too-small`.
   */
  start(request: RunRequest, options: StartOptions = {}): string {
    const plan = this.parts.plan(request);
    const record: RunRecord = {
      id: randomUUID(),
      model: request.model,
      mode: request.mode,
      budgetBytes: plan.detail.budgetBytes,
      inputName: inputName(request.input),
      startedAt: isoTime(this.parts.clock.nowMs()),
      state: 'running',
      plan: plan.detail,
      hasTrace: false,
    };
    const run: Run = {
      record,
      request,
      abort: new AbortController(),
      latencies: new LatencyRecord(),
      toldMs: -Infinity,
      ended: Promise.resolve(record),
    };
    this.runs.set(record.id, run);
    this.tell(run);
    this.save();
    run.ended = this.execute(run, plan, options);
    return record.id;
  }

  /** Stops a run; one that has ended already is left as it is. @throws SluiceError `not-found`. */
  stop(runId: string): void {
    if (this.past.some(({ id }) => id === runId)) return;
    this.find(runId).abort.abort();
  }

  /** Stops all runs and waits for them to end. */
  async stopAll(): Promise<void> {
    for (const { abort } of this.runs.values()) abort.abort();
    await Promise.all([...this.runs.values()].map(({ ended }) => ended));
  }

  /** Resolves to the record of the run once it has ended. @throws SluiceError `not-found`. */
  finished(runId: string): Promise<RunRecord> {
    return this.find(runId).ended;
  }

  /** Spans of the latest inference. @throws SluiceError `not-found` when there are none (any more). */
  trace(runId: string): TraceColumns {
    const trace = this.runs.get(runId)?.trace;
    if (trace) return trace(runId);
    const isKnown = this.list().some(({ id }) => id === runId);
    throw new SluiceError(
      'not-found',
      isKnown
        ? `The run has no trace: only the last ${KEPT_TRACES} runs since the engine started keep theirs.`
        : `There is no run "${runId}".`,
      { runId },
    );
  }

  /** Names of the models whose runs are going on. */
  activeModels(): readonly string[] {
    return [...this.runs.values()]
      .filter(({ record }) => record.state === 'running')
      .map(({ record }) => record.model);
  }

  private find(runId: string): Run {
    const run = this.runs.get(runId);
    if (run) return run;
    throw new SluiceError('not-found', `There is no run "${runId}".`, { runId });
  }

  private async execute(run: Run, plan: RunPlan, options: StartOptions): Promise<RunRecord> {
    const { signal } = run.abort;
    let task: RunTask | undefined;
    let ending: Partial<RunRecord>;
    try {
      task = await this.parts.open(run.request, plan);
      run.record = { ...run.record, plan: task.plan };
      await runLoop(
        task,
        settingsOf(run.request, options),
        run.latencies,
        this.parts.clock,
        signal,
        (answer) => this.answered(run, answer),
      );
      ending = withResult(run, { state: 'done' });
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      const isCancel = signal.aborted && error.code === 'cancelled';
      ending = isCancel ? withResult(run, { state: 'cancelled' }) : failed(error);
    } finally {
      task?.release();
    }
    if (ending.state !== 'failed') await this.measure(run, plan);
    this.end(run, ending);
    return run.record;
  }

  private answered(run: Run, answer: TaskAnswer): void {
    run.latest = answer;
    this.keepTrace(run, answer);
    const stats = run.latencies.stats();
    run.record = { ...run.record, hasTrace: true, ...(stats && { stats }) };
    if (this.parts.clock.nowMs() - run.toldMs < EVENT_EVERY_MS) return;
    this.tell(run);
    // A single inference tells its result with the end that follows at once.
    if (run.request.repeat === 'continuous') {
      this.parts.bus.emit('result', { runId: run.record.id, result: answer.result() });
    }
  }

  private keepTrace(run: Run, answer: TaskAnswer): void {
    const isFirst = run.trace === undefined;
    run.trace = answer.trace;
    if (!isFirst) return;
    const traced = [...this.runs.values()].filter(({ trace }) => trace !== undefined);
    for (const old of traced.slice(0, Math.max(0, traced.length - KEPT_TRACES))) {
      if (old.record.state === 'running') continue;
      delete old.trace;
      delete old.latest;
      old.record = { ...old.record, hasTrace: false };
      this.parts.bus.emit('run', old.record);
    }
  }

  private end(run: Run, change: Partial<RunRecord>): void {
    run.record = { ...run.record, ...change };
    this.tell(run);
    this.forgetOld();
    this.save();
  }

  private async measure(run: Run, plan: RunPlan): Promise<void> {
    const point = run.latencies.measurement(run.record.mode, run.record.budgetBytes);
    if (!point) return;
    try {
      await this.parts.recordMeasurement(plan, point);
    } catch (thrown) {
      // The run itself went well; only its point on the curve is lost.
      this.parts.log(`The latency of ${run.record.model} was not saved: ${SluiceError.from(thrown).message}`);
    }
  }

  private tell(run: Run): void {
    run.toldMs = this.parts.clock.nowMs();
    this.parts.bus.emit('run', run.record);
  }

  private forgetOld(): void {
    const ended = [...this.runs.values()].filter(({ record }) => record.state !== 'running');
    for (const { record } of ended.slice(0, Math.max(0, ended.length - KEPT_RUNS)))
      this.runs.delete(record.id);
  }

  private save(): void {
    this.parts.history?.write(this.list());
  }
}

function settingsOf(
  { repeat, periodMs, deadlineMs = periodMs }: RunRequest,
  { inferences }: StartOptions,
): Parameters<typeof runLoop>[1] {
  return {
    inferences: inferences ?? (repeat === 'once' ? 1 : Infinity),
    ...(periodMs !== undefined && { periodMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  };
}

/** With the latest answer; describing it can fail, e.g. for element types without a JavaScript array. */
function withResult({ latest }: Run, ending: Partial<RunRecord>): Partial<RunRecord> {
  if (!latest) return ending;
  try {
    return { ...ending, result: latest.result() };
  } catch (thrown) {
    return failed(SluiceError.from(thrown));
  }
}

function failed(error: SluiceError): Partial<RunRecord> {
  return { state: 'failed', error: error.toWire() };
}
