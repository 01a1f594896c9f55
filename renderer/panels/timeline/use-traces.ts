import { useEffect } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { decisionSubject, runSubject } from './subject';
import type { Subject } from './subject';
import { decisionOf, timelineStoreOf } from './timeline-store';
import type { TimelineStore, TraceState } from './timeline-store';
import { useRecentDecisions } from './use-recent-decisions';

export interface Shown {
  readonly subject: Subject;
  readonly trace: TraceState | undefined;
}

export interface Traces {
  readonly store: TimelineStore;
  /** Runs that have a trace, newest first, then the last decisions. */
  readonly subjects: readonly Subject[];
  /** Brings the list of decisions up to date. */
  readonly refresh: () => void;
  readonly main: Shown | undefined;
  readonly compared: Shown | undefined;
}

/** Which traces are in view; fetches what is missing once the engine answers. */
export function useTraces(): Traces {
  const session = useSession();
  const store = timelineStoreOf(session);
  const runs = useStore(session.runs, (state) => state.runs);
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { chosen, compare, traces } = useStore(store);
  const [recent, refresh] = useRecentDecisions();
  const subjects: Subject[] = [
    ...runs.filter((run) => run.hasTrace).map(runSubject),
    ...recent.map((decision) => decisionSubject(decision.id, decision)),
  ];
  for (const key of [chosen, compare]) {
    // A decision that was chosen elsewhere, or before so many others.
    const id = key === undefined ? undefined : decisionOf(key);
    if (id === undefined || subjects.some((subject) => subject.key === key)) continue;
    subjects.push(
      decisionSubject(
        id,
        session.offload.getState().decisions.find((one) => one.id === id),
      ),
    );
  }
  const main = subjects.find(({ key }) => key === chosen) ?? subjects[0];
  const compared = subjects.find(
    ({ key, kind }) => key === compare && key !== main?.key && kind === main?.kind,
  );
  useLoad(store, main, live);
  useLoad(store, compared, live);
  const mainKey = main?.key;
  const comparedKey = compared?.key;
  useEffect(() => {
    store.getState().actions.keepOnly([mainKey, comparedKey].filter((key) => key !== undefined));
  }, [store, mainKey, comparedKey]);
  const shown = (subject: Subject | undefined): Shown | undefined =>
    subject && { subject, trace: traces[subject.key] };
  return { store, subjects, refresh, main: shown(main), compared: shown(compared) };
}

/** Loads a trace at first sight, and a run's again when it has ended: its last inference is the one to look at. */
function useLoad(store: TimelineStore, subject: Subject | undefined, live: boolean): void {
  const key = subject?.key;
  const state = subject?.kind === 'run' ? subject.run.state : undefined;
  useEffect(() => {
    if (key === undefined || !live) return;
    void store.getState().actions.load(key);
  }, [store, key, state, live]);
}
