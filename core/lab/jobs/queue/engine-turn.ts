import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import type { JobEngine, JobNode, JobStatus } from '../job-engine';
import { hasEnded } from '../job-state';
import { subtract } from '../resources';

import type { Accounts } from './accounts';
import type { JobLedger } from './job-ledger';
import { planStarts, type Reservation } from './plan';
import { MINUTE_MS, type QueuePolicy } from './queue-policy';
import type { QueuedJob } from './queue-store';
import type { RunningJob, WaitingJob } from './waiting-order';

/** One engine's part of the queue. */
export class EngineTurn {
  private reserved: Reservation | undefined;
  /** Stops that the engine has been told of, by this process, with their grace. */
  private readonly stopsTold = new Map<string, number>();
  private isAgainWanted = false;

  constructor(
    private readonly engine: JobEngine,
    private readonly ledger: JobLedger,
    private readonly accounts: Accounts,
    private readonly policy: QueuePolicy,
    private readonly clock: Clock,
  ) {}

  /**
   * Brings this engine's jobs up to date and lets those begin whose turn it is. An engine that can't be reached, or a
   * disk that is full, is tried again the next time.
   * @returns whether it has done something that shows only when the engine is asked again.
   */
  async run(): Promise<boolean> {
    this.isAgainWanted = false;
    try {
      await this.takeStatuses();
      this.holdLimits();
      await this.tellStops();
      await this.handOn();
      await this.begin();
      this.ledger.setFault(this.engine.name, undefined);
    } catch (error) {
      const { message } = SluiceError.from(error);
      this.ledger.setFault(
        this.engine.name,
        `the engine ${this.engine.name} does not do its part: ${message}`,
      );
    }
    return this.isAgainWanted;
  }

  private async takeStatuses(): Promise<void> {
    const asked = this.ledger.of(this.engine.name, 'handed', 'taken');
    if (asked.length === 0) return;
    const statuses = await this.engine.statuses(asked.map(({ key }) => key));
    const nowMs = this.clock.nowMs();
    for (const { key } of asked) {
      const job = this.ledger.get(key);
      const status = statuses.get(key);
      if (!job) continue;
      if (status) this.take(job, status, nowMs);
      else if (job.step === 'taken') {
        const reason = `the engine ${this.engine.name} does not know it any more`;
        this.take(job, { state: 'lost', endedMs: nowMs, reason }, nowMs);
      }
    }
  }

  /** Writes what the engine says of a job, with what it is charged for. */
  private take(job: QueuedJob, status: JobStatus, nowMs: number): void {
    const isOver = hasEnded(status);
    const hasBegun = isOver || status.state === 'running' || status.state === 'stopping';
    const startedMs = status.startedMs ?? job.startedMs ?? (hasBegun && !isOver ? nowMs : undefined);
    const isStopped = job.stopReason !== undefined && ['failed', 'stopped'].includes(status.state);
    const isStopping = job.stopReason !== undefined && !isOver;
    if (isOver) this.stopsTold.delete(job.key);
    const news: QueuedJob = {
      ...job,
      step: isOver ? 'ended' : 'taken',
      state: isStopped ? 'stopped' : isStopping ? 'stopping' : status.state,
      node: status.node ?? job.node,
      startedMs,
      endedMs: isOver ? (status.endedMs ?? nowMs) : undefined,
      exitCode: status.exitCode,
      signal: status.signal,
      reason: isStopped || isStopping ? job.stopReason : status.reason,
      idleSinceMs: isOver ? undefined : status.idleSinceMs,
    };
    const chargeUntilMs = startedMs === undefined ? undefined : (news.endedMs ?? nowMs);
    this.ledger.write(news, chargeUntilMs);
  }

  /** Time limits, and the budgets of those whose jobs run. */
  private holdLimits(): void {
    const nowMs = this.clock.nowMs();
    for (const job of this.ledger.of(this.engine.name, 'taken')) {
      const { startedMs, limitMs = Infinity, user, spec, stopReason } = job;
      if (startedMs === undefined || stopReason !== undefined) continue;
      const usedUp = this.accounts.usedUp(user, spec.resources, nowMs);
      if (usedUp !== undefined) {
        askStop(
          this.ledger,
          job,
          this.policy.graceMs,
          nowMs,
          `stopped: today's budget of ${usedUp} of ${user} is used up`,
        );
      } else if (nowMs - startedMs >= limitMs) {
        const minutes = Math.round((limitMs / MINUTE_MS) * 100) / 100;
        askStop(
          this.ledger,
          job,
          this.policy.graceMs,
          nowMs,
          `stopped: it ran longer than its limit of ${minutes} minutes`,
        );
      }
    }
  }

  private async tellStops(): Promise<void> {
    for (const { key, stopGraceMs } of this.ledger.of(this.engine.name, 'taken')) {
      if (stopGraceMs === undefined || this.stopsTold.get(key) === stopGraceMs) continue;
      await this.engine.stop(key, stopGraceMs);
      this.stopsTold.set(key, stopGraceMs);
      this.isAgainWanted = true;
    }
  }

  /** Gives the engine what was decided, as often as it takes for it to say yes. */
  private async handOn(): Promise<void> {
    for (const job of this.ledger.of(this.engine.name, 'handed')) {
      const preferredNodes = [job.node ?? [], job.spec.preferredNodes ?? []].flat();
      try {
        await this.engine.submit(job.key, {
          ...job.spec,
          ...(preferredNodes.length > 0 && { preferredNodes }),
        });
      } catch (error) {
        const { code, message } = SluiceError.from(error);
        if (code !== 'bad-input' && code !== 'unsupported') throw error;
        this.ledger.write({
          ...this.ledger.get(job.key)!,
          step: 'ended',
          state: 'failed',
          endedMs: this.clock.nowMs(),
          reason: message,
        });
        continue;
      }
      this.ledger.write({ ...this.ledger.get(job.key)!, step: 'taken', reason: undefined });
      this.isAgainWanted = true;
    }
  }

  /** Decides which jobs begin, and hands them on. */
  private async begin(): Promise<void> {
    if (this.ledger.of(this.engine.name, 'waiting').length === 0) return;
    const nodes = this.engine.queuesItself ? [] : await this.engine.nodes();
    const waiting = this.ledger.of(this.engine.name, 'waiting');
    if (this.engine.queuesItself) this.handOnAll(waiting);
    else this.startPlanned(waiting, nodes);
    await this.handOn();
  }

  private startPlanned(waiting: readonly QueuedJob[], nodes: readonly JobNode[]): void {
    const nowMs = this.clock.nowMs();
    const running = this.ledger
      .of(this.engine.name, 'handed', 'taken')
      .map((job) => runningOf(job, nodes, nowMs));
    const { starts, reasons, impossible, reserved } = planStarts({
      nowMs,
      waiting: waiting.map(waitingOf),
      running,
      nodes: nodes.map((node) => ({ ...node, free: freeOf(node, running) })),
      useOf: (user) => this.accounts.useOf(user, nowMs),
      lastBegunMs: (user, priority) => this.ledger.lastBegunMs(user, priority),
      heldBack: (job) => this.heldBack(job, nowMs),
      policy: this.policy,
      reserved: this.reserved,
    });
    this.reserved = reserved;
    for (const { key, node } of starts) this.hand(this.ledger.get(key)!, node, nowMs);
    for (const [key, reason] of impossible) {
      this.ledger.write({ ...this.ledger.get(key)!, step: 'ended', state: 'failed', endedMs: nowMs, reason });
    }
    let position = 0;
    for (const [key, reason] of reasons) this.ledger.waitOn(this.ledger.get(key)!, (position += 1), reason);
  }

  /** For engines with a queue of their own: theirs decides. */
  private handOnAll(waiting: readonly QueuedJob[]): void {
    const nowMs = this.clock.nowMs();
    let position = 0;
    for (const job of waiting) {
      const reason = this.heldBack(waitingOf(job), nowMs);
      if (reason === undefined) this.hand(job, undefined, nowMs);
      else this.ledger.waitOn(job, (position += 1), reason);
    }
  }

  private heldBack({ user, resources }: WaitingJob, nowMs: number): string | undefined {
    const usedUp = this.accounts.usedUp(user, resources, nowMs);
    return usedUp && `waits for 00:00 UTC: ${user} has used up today's budget of ${usedUp}`;
  }

  private hand(job: QueuedJob, node: string | undefined, nowMs: number): void {
    this.ledger.write({ ...job, step: 'handed', node, handedMs: nowMs, reason: undefined });
  }
}

/** Asks for a job's end; one that waits has ended by that. */
export function askStop(
  ledger: JobLedger,
  job: QueuedJob,
  graceMs: number,
  nowMs: number,
  reason: string,
): void {
  if (job.step === 'waiting') {
    ledger.write({ ...job, step: 'ended', state: 'stopped', endedMs: nowMs, reason });
  } else if (job.stopGraceMs === undefined || graceMs < job.stopGraceMs) {
    // The first reason is the true one; a shorter grace is what a second request is for.
    ledger.write({ ...job, stopReason: job.stopReason ?? reason, stopGraceMs: graceMs });
  }
}

function waitingOf({ key, user, priority, submittedMs, limitMs, spec }: QueuedJob): WaitingJob {
  const { resources, preferredNodes = [] } = spec;
  return { key, user, priority, submittedMs, limitMs, resources, preferredNodes };
}

function runningOf(
  { key, user, node, limitMs, startedMs, handedMs, spec }: QueuedJob,
  nodes: readonly JobNode[],
  nowMs: number,
): RunningJob {
  const where = node ?? nodes[0]?.name ?? '';
  return {
    key,
    user,
    limitMs,
    node: where,
    resources: spec.resources,
    startedMs: startedMs ?? handedMs ?? nowMs,
  };
}

/** What an engine calls free may still count jobs out that it has just been given: they are counted here too. */
function freeOf({ name, total, free }: JobNode, running: readonly RunningJob[]): JobNode['free'] {
  const own = running
    .filter(({ node }) => node === name)
    .reduce((left, { resources }) => subtract(left, resources), total);
  return {
    cpus: Math.min(free.cpus, own.cpus),
    gpus: Math.min(free.gpus, own.gpus),
    memoryBytes: Math.min(free.memoryBytes, own.memoryBytes),
  };
}
