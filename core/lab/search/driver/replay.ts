import { SluiceError } from '../../../contract';
import type { Assignment } from '../algorithms/algorithm';
import { SearchSession } from '../search-session';
import type { SearchEvent } from './search-store';

export interface OpenTask {
  readonly assignment: Assignment;
  readonly segment: number;
  /** It was told to end, and nobody knows whether it heard. */
  readonly isHalting: boolean;
}

export interface Replayed {
  readonly session: SearchSession;
  /** What ran, or was to be started or ended, in the order of its beginning. */
  readonly open: readonly OpenTask[];
  /** Why the last trial failed that did. */
  readonly lastFailure?: string;
}

/**
 * Takes a search through its history again.
 * @throws SluiceError `stale-store` when it decides otherwise than it did: another version of Sluice wrote it.
 */
export function replay(id: string, settings: unknown, events: readonly SearchEvent[]): Replayed {
  const session = new SearchSession(settings);
  let open: readonly OpenTask[] = [];
  let lastFailure: string | undefined;
  for (const [seq, event] of events.entries()) {
    const { trial, kind, decision, reason } = event;
    const found = decide(session, event);
    if (found !== decision) throw differs(id, seq, event, found);
    if (decision === 'failed') lastFailure = reason;
    const segment = session.trials[trial]?.segments ?? 1;
    const isCurrent = (task: OpenTask): boolean =>
      task.assignment.trial.id === trial && task.segment === segment;
    if (kind === 'assigned') {
      open = [...open, { assignment: JSON.parse(decision) as Assignment, segment, isHalting: false }];
    } else if (kind === 'reported') {
      if (decision === 'go-on') continue;
      open = open.map((task) => (isCurrent(task) ? { ...task, isHalting: true } : task));
    } else if (kind === 'ended') open = open.filter((task) => !isCurrent(task));
    else {
      // It may have been taken up again before what ran of it was seen to have ended.
      const freed = open.find((task) => task.assignment.trial.id === trial);
      open = open.filter((task) => task !== freed);
    }
  }
  return { session, open, ...(lastFailure === undefined ? {} : { lastFailure }) };
}

function decide(session: SearchSession, event: SearchEvent): string {
  if (event.kind === 'assigned') return JSON.stringify(session.next());
  if (event.kind === 'reported') return session.report(event.trial, event.resource ?? 0, event.metric ?? NaN);
  if (event.kind === 'ended') {
    session.ended(event.trial, event.decision === 'failed' ? 'failed' : 'completed');
  }
  return event.decision;
}

function differs(id: string, seq: number, event: SearchEvent, found: string): SluiceError {
  return new SluiceError(
    'stale-store',
    `The search "${id}" can't go on: its step ${seq} was ${event.kind} ${event.decision.slice(0, 200)}, and this Sluice decides ` +
      `${found.slice(0, 200)}. Another version wrote it: use that one, or start a new search.`,
    { id, seq },
  );
}
