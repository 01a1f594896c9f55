import type { JobResources } from '../job-engine';

import { MINUTE_MS, weightOf, type QueuePolicy } from './queue-policy';
import { rowOf } from './queue-store';

/** A job that waits for its turn. */
export interface WaitingJob {
  readonly key: string;
  readonly user: string;
  /** Higher first. */
  readonly priority: number;
  readonly submittedMs: number;
  readonly resources: JobResources;
  /** It is stopped after running this long. */
  readonly limitMs: number | undefined;
  readonly preferredNodes: readonly string[];
}

/** A job that has its resources. */
export interface RunningJob {
  readonly key: string;
  readonly user: string;
  readonly node: string;
  readonly resources: JobResources;
  readonly startedMs: number;
  readonly limitMs: number | undefined;
}

/** A job just begun counts as if it had run this long: else all of a user's jobs would begin before their use shows. */
const ASSUMED_MS = 10 * MINUTE_MS;

/** What decides about turns. */
export interface TurnRules {
  readonly nowMs: number;
  readonly policy: QueuePolicy;
  /** A user's decayed use, in weighted milliseconds. */
  readonly useOf: (user: string) => number;
  /** When a job of this user and priority began last; undefined: never. */
  readonly lastBegunMs: (user: string, priority: number) => number | undefined;
}

/**
 * The order of turns: by priority; among equals, always the user who has used least, what is given out in this order
 * counted; a user's own jobs in the order they came. A user's first job of a priority rises the longer nothing of them
 * began: a stream of urgent work holds nobody up forever, and a long row of jobs gains nothing by its length.
 * @param waiting in the order they came.
 */
export function orderOf(
  waiting: readonly WaitingJob[],
  running: readonly RunningJob[],
  { nowMs, policy, useOf, lastBegunMs }: TurnRules,
): readonly WaitingJob[] {
  const use = new Map<string, number>();
  const add = (user: string, weightedMs: number): void => {
    use.set(user, (use.get(user) ?? useOf(user)) + weightedMs);
  };
  for (const { user, resources, startedMs } of running) {
    add(user, weightOf(resources, policy) * Math.max(0, ASSUMED_MS - (nowMs - startedMs)));
  }
  const levels = new Map<number, Map<string, WaitingJob[]>>();
  const seen = new Set<string>();
  for (const job of waiting) {
    const { user, priority, submittedMs } = job;
    add(user, 0);
    const row = rowOf(user, priority);
    const waitedMs = seen.has(row)
      ? 0
      : nowMs - Math.max(submittedMs, lastBegunMs(user, priority) ?? -Infinity);
    seen.add(row);
    const level = priority + Math.floor(Math.max(0, waitedMs) / policy.agingMs);
    const byUser = levels.get(level) ?? new Map<string, WaitingJob[]>();
    const own = byUser.get(user) ?? [];
    own.push(job);
    byUser.set(user, own);
    levels.set(level, byUser);
  }
  const order: WaitingJob[] = [];
  for (const level of [...levels.keys()].sort((a, b) => b - a)) {
    const byUser = levels.get(level)!;
    for (let left = [...byUser]; left.length > 0; left = left.filter(([, jobs]) => jobs.length > 0)) {
      const [user, jobs] = left.reduce((least, other) =>
        use.get(other[0])! < use.get(least[0])! ? other : least,
      );
      const job = jobs.shift()!;
      add(user, weightOf(job.resources, policy) * Math.min(ASSUMED_MS, job.limitMs ?? ASSUMED_MS));
      order.push(job);
    }
  }
  return order;
}
