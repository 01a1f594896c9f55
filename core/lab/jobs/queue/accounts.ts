import { SluiceError } from '../../../contract';
import type { JobResources } from '../job-engine';

import { DAY_MS, decayed, MINUTE_MS, weightOf, type DayBudget, type QueuePolicy } from './queue-policy';
import type { QueuedJob, QueueStore } from './queue-store';

/** A user's day so far, and what is allowed. */
export interface DayAccount {
  readonly cpuMinutes: number;
  readonly gpuMinutes: number;
  readonly budget: DayBudget;
}

/** What users have used: of today's budget, and compared with each other. Charged as used: what a job holds, times time. */
export class Accounts {
  private readonly shares: Map<string, { weightedMs: number; atMs: number }>;
  private readonly budgets: Map<string, DayBudget>;

  constructor(
    private readonly store: QueueStore,
    private readonly policy: QueuePolicy,
  ) {
    this.shares = new Map(store.shares());
    this.budgets = new Map(store.budgets());
  }

  /** @param budget undefined: the same as everybody. */
  setBudget(user: string, budget: DayBudget | undefined): void {
    this.store.writeBudget(user, budget);
    if (budget) this.budgets.set(user, budget);
    else this.budgets.delete(user);
  }

  day(user: string, nowMs: number): DayAccount {
    const { cpuMs, gpuMs } = this.store.dayUse(user, dayOf(nowMs));
    const budget = this.budgets.get(user) ?? this.policy.budget;
    return { cpuMinutes: cpuMs / MINUTE_MS, gpuMinutes: gpuMs / MINUTE_MS, budget };
  }

  /** A user's decayed use, in weighted milliseconds. */
  useOf(user: string, nowMs: number): number {
    const share = this.shares.get(user);
    return share ? decayed(share.weightedMs, nowMs - share.atMs, this.policy) : 0;
  }

  /** A job with its time up to `untilMs` charged; undefined: nothing is. */
  charged(job: QueuedJob, untilMs: number | undefined): QueuedJob {
    if (untilMs === undefined) return job;
    const ms = untilMs - chargedFrom(job, untilMs);
    if (ms <= 0) return job;
    const { cpus, gpus } = job.spec.resources;
    return { ...job, chargedUntilMs: untilMs, cpuMs: job.cpuMs + cpus * ms, gpuMs: job.gpuMs + gpus * ms };
  }

  /** Writes what a job is charged from one state to the next, each day its part; within the transaction that writes the job. */
  write(before: QueuedJob, charged: QueuedJob): void {
    const untilMs = charged.chargedUntilMs;
    if (untilMs === undefined || untilMs === before.chargedUntilMs) return;
    const { cpus, gpus } = before.spec.resources;
    for (let atMs = chargedFrom(before, untilMs); atMs < untilMs;) {
      const endMs = Math.min(untilMs, (dayOf(atMs) + 1) * DAY_MS);
      const ms = endMs - atMs;
      this.store.addDayUse(before.user, dayOf(atMs), { cpuMs: cpus * ms, gpuMs: gpus * ms });
      atMs = endMs;
    }
    this.store.writeShare(before.user, this.useWith(before, untilMs), untilMs);
  }

  /** Once that is on disk. */
  remember(before: QueuedJob, { chargedUntilMs: untilMs }: QueuedJob): void {
    if (untilMs === undefined || untilMs === before.chargedUntilMs) return;
    this.shares.set(before.user, { weightedMs: this.useWith(before, untilMs), atMs: untilMs });
  }

  private useWith(before: QueuedJob, untilMs: number): number {
    const ms = untilMs - chargedFrom(before, untilMs);
    return this.useOf(before.user, untilMs) + weightOf(before.spec.resources, this.policy) * ms;
  }

  /** @returns what of today's budget is used up that such a job needs: `60 CPU minutes`. */
  usedUp(user: string, { gpus }: JobResources, nowMs: number): string | undefined {
    const { cpuMinutes, gpuMinutes, budget } = this.day(user, nowMs);
    if (cpuMinutes >= budget.cpuMinutes) return `${budget.cpuMinutes} CPU minutes`;
    if (gpus > 0 && gpuMinutes >= budget.gpuMinutes) return `${budget.gpuMinutes} GPU minutes`;
    return undefined;
  }

  /** @throws SluiceError `overloaded` when nothing of the user's budget is left for such a job today. */
  refuseBeyondBudget(user: string, resources: JobResources, nowMs: number): void {
    const usedUp = this.usedUp(user, resources, nowMs);
    if (usedUp === undefined) return;
    throw new SluiceError(
      'overloaded',
      `${user} has used up today's budget of ${usedUp}. Submit the job again after 00:00 UTC, or ask for a larger budget.`,
      { user, retryAfterSec: Math.ceil(((dayOf(nowMs) + 1) * DAY_MS - nowMs) / 1000) },
    );
  }
}

function chargedFrom({ chargedUntilMs, startedMs }: QueuedJob, untilMs: number): number {
  return chargedUntilMs ?? startedMs ?? untilMs;
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}
