import { constants } from 'node:os';

import type { JobStatus } from '../job-engine';

import type { JobEvidence } from './job-records';
import { hasEnded } from '../job-state';

/** What a scheduler says of a job now. */
export interface SeenJob {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'stopped';
  /** It ended for a reason of the scheduler's (memory, time, a node): whatever code the program gave. */
  readonly isScheduler?: boolean;
  readonly node?: string;
  readonly startedMs?: number;
  readonly endedMs?: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly reason?: string;
}

const NEVER_BEGAN = 'stopped before it began';

/**
 * A job's status from what its files tell and what the scheduler says.
 * @param seen undefined when the scheduler does not know the job (any more).
 * @returns undefined for a job that was never handed over.
 */
export function jobStatus(
  evidence: JobEvidence,
  seen: SeenJob | undefined,
  scheduler: string,
): JobStatus | undefined {
  if (evidence.final) return evidence.final;
  if (seen?.state === 'queued' && evidence.isStopAsked && evidence.claimedBy === undefined) {
    return { state: 'stopped', reason: NEVER_BEGAN };
  }
  if (seen && !hasEnded(seen)) {
    const state = evidence.isStopAsked ? 'stopping' : seen.state;
    return { state, ...timesOf(evidence, seen), ...(seen.reason && { reason: seen.reason }) };
  }
  if (evidence.ended) return endedStatus(evidence, evidence.ended, seen);
  // Its script found that another one had begun: it ran nothing, and its end says nothing.
  const isOther = seen && evidence.claimedBy && evidence.claimedBy !== seen.id;
  if (seen && !isOther) return unexplainedEnd(evidence, seen);
  return forgotten(evidence, scheduler);
}

/** 137 is how a shell tells SIGKILL: 128 and the signal's number. */
export function shellExit(code: number): Pick<JobStatus, 'exitCode' | 'signal'> {
  const signal = code > 128 ? signalName(code - 128) : undefined;
  return signal === undefined ? { exitCode: code } : { signal };
}

export function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}

function timesOf({ startedMs, ended }: JobEvidence, seen: SeenJob | undefined): Partial<JobStatus> {
  const started = startedMs ?? seen?.startedMs;
  const endedMs = ended?.atMs ?? seen?.endedMs;
  return {
    ...(seen?.node && { node: seen.node }),
    ...(started !== undefined && { startedMs: started }),
    ...(endedMs !== undefined && { endedMs }),
  };
}

/** The script saw the program's end. */
function endedStatus(
  evidence: JobEvidence,
  { shellCode }: { readonly shellCode: number },
  seen: SeenJob | undefined,
): JobStatus {
  const exit = { ...timesOf(evidence, seen), ...shellExit(shellCode) };
  if (evidence.isStopAsked) return { state: 'stopped', ...exit };
  if (seen?.isScheduler) return { state: 'failed', ...exit, ...(seen.reason && { reason: seen.reason }) };
  if (shellCode === 0) return { state: 'succeeded', ...exit };
  const reason = { 126: 'the program or its folder could not be used', 127: 'the program was not found' };
  const known = reason[shellCode as keyof typeof reason];
  return { state: 'failed', ...exit, ...(known && { reason: `${known}; see the log` }) };
}

/** The scheduler tells of an end that the script did not live to see. */
function unexplainedEnd(evidence: JobEvidence, seen: SeenJob): JobStatus {
  const { state, exitCode, signal, reason } = seen;
  const times = timesOf(evidence, seen);
  if (evidence.isStopAsked && evidence.startedMs === undefined) {
    return { state: 'stopped', ...times, reason: NEVER_BEGAN };
  }
  const exit = { ...(exitCode !== undefined && { exitCode }), ...(signal !== undefined && { signal }) };
  if (evidence.isStopAsked) return { state: 'stopped', ...times, ...exit };
  return { state, ...times, ...exit, ...(reason && { reason }) };
}

function forgotten(evidence: JobEvidence, scheduler: string): JobStatus | undefined {
  const { submittedId, claimedBy, isStopAsked } = evidence;
  if (submittedId === undefined && claimedBy === undefined) return undefined;
  const times = timesOf(evidence, undefined);
  if (isStopAsked) return { state: 'stopped', ...times };
  const what = claimedBy === undefined ? 'it never began' : 'it began, and nobody saw its end';
  return { state: 'lost', ...times, reason: `${scheduler} no longer knows the job: ${what}` };
}
