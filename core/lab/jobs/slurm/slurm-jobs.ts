import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { signalName } from '../cluster/job-status';
import type { SeenJob } from '../cluster/job-status';

/** A job of ours as Slurm lists it. */
export interface SlurmJob extends SeenJob {
  readonly comment: string;
}

/** Columns of `squeue -O`; the comment comes last, because it may hold the separator. */
export const SQUEUE_FORMAT = [
  'JobID:20',
  'State:20',
  'Reason:80',
  'NodeList:200',
  'exit_code:12',
  'StartTime:24',
  'EndTime:24',
]
  .map((column) => `${column}|`)
  .concat('Comment:200')
  .join(',');

/** Columns of `sacct -o`. */
export const SACCT_FORMAT = 'JobIDRaw,State,ExitCode,Start,End,NodeList';

const WAITING = new Set([
  'PENDING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'SPECIAL_EXIT',
  'CONFIGURING',
]);
const ENDED: Readonly<Record<string, SeenJob['state']>> = {
  COMPLETED: 'succeeded',
  CANCELLED: 'stopped',
  FAILED: 'failed',
  TIMEOUT: 'failed',
  OUT_OF_MEMORY: 'failed',
  NODE_FAIL: 'failed',
  BOOT_FAIL: 'failed',
  LAUNCH_FAILED: 'failed',
  RECONFIG_FAIL: 'failed',
  DEADLINE: 'failed',
  PREEMPTED: 'failed',
  REVOKED: 'failed',
};
export const TOO_MUCH_MEMORY = 'it used more memory than it asked for';
/** Ends that are not the program's doing. */
const REASONS: Readonly<Record<string, string>> = {
  TIMEOUT: 'it ran longer than its partition or its time limit allows',
  OUT_OF_MEMORY: TOO_MUCH_MEMORY,
  NODE_FAIL: 'its node failed',
  BOOT_FAIL: 'its node could not be started',
  LAUNCH_FAILED: 'Slurm could not start it on its node',
  RECONFIG_FAIL: 'its node could not be set up',
  DEADLINE: 'it could not end before its deadline',
  PREEMPTED: 'Slurm took its place for a job of higher priority',
  REVOKED: 'another cluster took it',
};
const WAITS: Readonly<Record<string, string>> = {
  None: 'waits to be looked at by Slurm',
  Resources: 'waits for CPUs, GPUs or memory to come free',
  Priority: 'waits for jobs that come before it',
  Dependency: 'waits for another job',
  Licenses: 'waits for a licence',
  BeginTime: 'waits for its time',
};

const line = z.string().transform((text, context) => {
  const [id, state, reason, node, code, start, end, ...comment] = text.split('|').map((part) => part.trim());
  const rawCode = Number(code);
  if (!/^\d+/.test(id ?? '') || !state || end === undefined || !Number.isInteger(rawCode)) {
    context.addIssue({ code: 'custom', message: `"${text.slice(0, 200)}" is not a line of squeue` });
    return z.NEVER;
  }
  return {
    id: id!,
    state,
    reason: reason!,
    node: node!,
    rawCode,
    start: start!,
    end,
    comment: comment.join('|'),
  };
});

/** @param output of `squeue -h -O SQUEUE_FORMAT`. @throws SluiceError `unavailable` when it is something else. */
export function parseSqueue(output: string): readonly SlurmJob[] {
  const parsed = z.array(line).safeParse(linesOf(output));
  if (!parsed.success) throw notUnderstood('squeue', parsed.error);
  return parsed.data.map(({ id, state, reason, node, rawCode, start, end, comment }) => ({
    ...seenJob(id, state, reason),
    // As waitpid(2) gives it.
    ...exitOf(state, rawCode >> 8, rawCode & 127),
    ...(node && { node }),
    ...timeOf('startedMs', start),
    ...(state in ENDED ? timeOf('endedMs', end) : {}),
    comment,
  }));
}

const accounted = z.string().transform((text, context) => {
  const [id, states, code, start, end, node] = text.split('|');
  const exit = /^(\d+):(\d+)$/.exec(code ?? '');
  if (!/^\d+$/.test(id ?? '') || !states || !exit || node === undefined) {
    context.addIssue({ code: 'custom', message: `"${text.slice(0, 200)}" is not a line of sacct` });
    return z.NEVER;
  }
  // "CANCELLED by 1000"
  const state = states.split(' ')[0]!;
  return { id: id!, state, code: Number(exit[1]), signal: Number(exit[2]), start: start!, end: end!, node };
});

/** @param output of `sacct -n -P -X -o SACCT_FORMAT`. @throws SluiceError `unavailable` when it is something else. */
export function parseSacct(output: string): readonly SeenJob[] {
  const parsed = z.array(accounted).safeParse(linesOf(output));
  if (!parsed.success) throw notUnderstood('sacct', parsed.error);
  return parsed.data.map(({ id, state, code, signal, start, end, node }) => ({
    ...seenJob(id, state, ''),
    ...exitOf(state, code, signal),
    ...(node && !node.startsWith('None') && { node }),
    ...timeOf('startedMs', start),
    ...(state in ENDED ? timeOf('endedMs', end) : {}),
  }));
}

function seenJob(id: string, slurmState: string, slurmReason: string): SeenJob {
  if (WAITING.has(slurmState)) {
    return {
      id,
      state: 'queued',
      reason: WAITS[slurmReason] ?? `waits; Slurm says ${slurmReason || slurmState}`,
    };
  }
  const ended = ENDED[slurmState];
  // What is not known here (RUNNING, SUSPENDED, COMPLETING, and what Slurm may add) has not ended.
  if (ended === undefined) return { id, state: 'running' };
  const isScheduler = slurmState in REASONS;
  const reason = REASONS[slurmState] ?? WHY_FAILED[slurmReason];
  return { id, state: ended, ...(isScheduler && { isScheduler }), ...(reason && { reason }) };
}

/** Of state FAILED: reasons beyond the program's own exit. */
const WHY_FAILED: Readonly<Record<string, string>> = {
  BadConstraints: 'no node has what it asks for',
  JobLaunchFailure: 'Slurm could not start it on its node, or killed it there; see the log',
  SystemFailure: 'Slurm failed to run it; see the log of slurmctld',
};

function exitOf(state: string, code: number, signal: number): Pick<SeenJob, 'exitCode' | 'signal'> {
  if (!(state in ENDED)) return {};
  const name = signal === 0 ? undefined : signalName(signal);
  return name === undefined ? { exitCode: code } : { signal: name };
}

function timeOf<Name extends string>(name: Name, text: string): Partial<Record<Name, number>> {
  return /^\d+$/.test(text) ? ({ [name]: Number(text) * 1000 } as Record<Name, number>) : {};
}

function linesOf(output: string): readonly string[] {
  return output.split('\n').filter((text) => text.trim() !== '');
}

function notUnderstood(command: string, error: z.ZodError): SluiceError {
  const what = error.issues[0]?.message ?? 'it is empty';
  return new SluiceError(
    'unavailable',
    `The answer of ${command} is not what was expected: ${what}. Is it Slurm's, of version 20.11 or newer?`,
    { command },
    { cause: error },
  );
}
