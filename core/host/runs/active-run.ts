import { randomUUID } from 'node:crypto';

import { SluiceError } from '../../contract';
import type { MeasuredPoint, RunRecord, RunRequest, TraceColumns } from '../../contract';
import type { EventBus } from '../event-bus';
import { isoTime } from '../host-clock';
import type { HostClock } from '../host-clock';
import { inputName } from '../inputs/load-input';
import type { RunPlan } from '../models/planner';
import type { Log } from '../state-file';
import { runLoop } from './run-loop';
import { LatencyRecord } from './run-stats';
import type { RunTask, TaskAnswer } from './run-task';

/** `run` and `result` events of one run come at most this often. */
const EVENT_EVERY_MS = 100;

export interface RunParts {
  readonly bus: EventBus;
  readonly clock: HostClock;
  /** Loads models and input. */
  readonly open: (request: RunRequest, plan: RunPlan) => Promise<RunTask>;
  readonly recordMeasurement: (plan: RunPlan, point: MeasuredPoint) => Promise<void>;
  readonly log: Log;
}

export interface StartOptions {
  /** A continuous run ends after so many inferences. */
  readonly inferences?: number;
}

/** One run: `running` until it becomes `done`, `failed` or `cancelled`, once and for good. */
export class ActiveRun {
  private state: RunRecord;
  private latest: TaskAnswer | undefined;
  private readonly abort = new AbortController();
  private readonly latencies = new LatencyRecord();
  private toldMs = -Infinity;
  private wasWarm = false;

  constructor(
    private readonly parts: RunParts,
    private readonly request: RunRequest,
    private readonly plan: RunPlan,
    /** Whether the model's run before this one had the same setting and input. */
    private readonly isRepeat: boolean,
    /** Called before the first answer is told. */
    private readonly onFirstAnswer: () => void,
  ) {
    this.state = {
      id: randomUUID(),
      model: request.model,
      mode: request.mode,
      budgetBytes: plan.detail.budgetBytes,
      inputName: inputName(request.input),
      startedAt: isoTime(parts.clock.nowMs()),
      state: 'running',
      plan: plan.detail,
      hasTrace: false,
    };
  }

  get record(): RunRecord {
    return this.state;
  }

  get isRunning(): boolean {
    return this.state.state === 'running';
  }

  /** Does nothing to a run that has ended. */
  stop(): void {
    this.abort.abort();
  }

  /** Runs to its end, whichever it is. Never throws. */
  async execute(options: StartOptions): Promise<RunRecord> {
    this.tell();
    const ending = await this.work(options);
    if (ending.state !== 'failed') await this.measure();
    this.state = { ...this.state, ...ending };
    this.tell();
    return this.state;
  }

  /** Spans of the latest inference, while they are kept. */
  trace(): TraceColumns | undefined {
    return this.state.hasTrace ? this.latest?.trace(this.state.id) : undefined;
  }

  dropTrace(): void {
    this.latest = undefined;
    this.state = { ...this.state, hasTrace: false };
    this.tell();
  }

  private async work(options: StartOptions): Promise<Partial<RunRecord>> {
    const { signal } = this.abort;
    let task: RunTask | undefined;
    try {
      task = await this.parts.open(this.request, this.plan);
      this.state = { ...this.state, plan: task.plan };
      this.wasWarm = this.isRepeat && task.isWarm;
      const settings = settingsOf(this.request, options);
      await runLoop(task, settings, this.latencies, this.parts.clock, signal, (answer) =>
        this.answered(answer),
      );
      return this.withResult({ state: 'done' });
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      const isCancel = signal.aborted && error.code === 'cancelled';
      return isCancel ? this.withResult({ state: 'cancelled' }) : failed(error);
    } finally {
      task?.release();
    }
  }

  private answered(answer: TaskAnswer): void {
    this.latest = answer;
    if (!this.state.hasTrace) this.onFirstAnswer();
    this.state = { ...this.state, hasTrace: true, ...predictedFor(this.state, answer) };
    if (this.parts.clock.nowMs() - this.toldMs < EVENT_EVERY_MS) return;
    this.tell();
    // A single inference tells its result with the end that follows at once.
    if (this.request.repeat === 'continuous') {
      this.parts.bus.emit('result', { runId: this.state.id, result: answer.result() });
    }
  }

  private async measure(): Promise<void> {
    const { mode, budgetBytes } = this.state;
    const point = this.latencies.measurement(mode, budgetBytes, this.wasWarm);
    if (!point) return;
    try {
      await this.parts.recordMeasurement(this.plan, point);
    } catch (thrown) {
      // The run itself went well; only its point on the curve is lost.
      this.parts.log(`The latency of ${this.state.model} was not saved: ${SluiceError.from(thrown).message}`);
    }
  }

  /** With the latest answer; describing it can fail, e.g. for element types without a JavaScript array. */
  private withResult(ending: Partial<RunRecord>): Partial<RunRecord> {
    if (!this.latest) return ending;
    try {
      return { ...ending, result: this.latest.result() };
    } catch (thrown) {
      return failed(SluiceError.from(thrown));
    }
  }

  private tell(): void {
    this.toldMs = this.parts.clock.nowMs();
    const stats = this.latencies.stats();
    if (stats) this.state = { ...this.state, stats };
    this.parts.bus.emit('run', this.state);
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

/** What an image holds decides how long reading it takes; the plan could only guess. */
function predictedFor({ plan }: RunRecord, { predictedMs }: TaskAnswer): Pick<RunRecord, 'plan'> {
  return plan && predictedMs !== undefined ? { plan: { ...plan, predictedMs } } : {};
}

function failed(error: SluiceError): Partial<RunRecord> {
  return { state: 'failed', error: error.toWire() };
}
