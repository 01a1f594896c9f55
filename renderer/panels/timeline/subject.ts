import type { DecisionRecord, RunRecord } from '../../../core/contract';
import { formatClock, formatCount, formatMs } from '../../format';
import { strings } from '../../strings';
import { runLabel } from './run-label';
import { decisionKey } from './timeline-store';

const STRINGS = strings.timeline;

/** Something with a trace: a run's latest inference, or the requests of a decided round. */
export type Subject =
  | { readonly kind: 'run'; readonly key: string; readonly run: RunRecord }
  | {
      readonly kind: 'decision';
      readonly key: string;
      readonly id: number;
      /** Absent when it has left the list of decisions. */
      readonly decision: DecisionRecord | undefined;
    };

export function runSubject(run: RunRecord): Subject {
  return { kind: 'run', key: run.id, run };
}

export function decisionSubject(id: number, decision: DecisionRecord | undefined): Subject {
  return { kind: 'decision', key: decisionKey(id), id, decision };
}

/** `14:03:27 · decision 360 · 3 users · 26.0 ms`: enough to tell decisions apart in a list. */
export function subjectLabel(subject: Subject): string {
  if (subject.kind === 'run') return runLabel(subject.run);
  const name = STRINGS.decision(formatCount(subject.id));
  const { decision } = subject;
  if (decision === undefined) return name;
  const users = STRINGS.users(decision.users.length);
  const latency = formatMs(decision.meanResponseMs ?? Number.NaN);
  return [formatClock(decision.at), name, users, latency].join(' · ');
}

/** Whether its trace can still grow. */
export function isRunning(subject: Subject): boolean {
  return subject.kind === 'run' && subject.run.state === 'running';
}
