import { useEffect } from 'react';
import { useStore } from 'zustand';

import type { RunRecord } from '../../../core/contract';
import { useSession } from '../../session';
import { timelineStoreOf } from './timeline-store';
import type { TimelineStore, TraceState } from './timeline-store';

export interface ShownRun {
  readonly run: RunRecord;
  readonly trace: TraceState | undefined;
}

export interface Traces {
  readonly store: TimelineStore;
  /** Runs that have a trace, newest first. */
  readonly runs: readonly RunRecord[];
  readonly main: ShownRun | undefined;
  readonly compared: ShownRun | undefined;
}

/** Which runs are in view, with their traces; fetches what is missing once the engine answers. */
export function useTraces(): Traces {
  const session = useSession();
  const store = timelineStoreOf(session);
  const all = useStore(session.runs, (state) => state.runs);
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { chosen, compare, traces } = useStore(store);
  const runs = all.filter((run) => run.hasTrace);
  const main = runs.find(({ id }) => id === chosen) ?? runs[0];
  const compared = runs.find(({ id }) => id === compare && id !== main?.id);
  useLoad(store, main, live);
  useLoad(store, compared, live);
  const mainId = main?.id;
  const comparedId = compared?.id;
  useEffect(() => {
    store.getState().actions.keepOnly([mainId, comparedId].filter((id) => id !== undefined));
  }, [store, mainId, comparedId]);
  const shown = (run: RunRecord | undefined): ShownRun | undefined => run && { run, trace: traces[run.id] };
  return { store, runs, main: shown(main), compared: shown(compared) };
}

/** Loads a run's trace at first sight and again when the run has ended: its last inference is the one to look at. */
function useLoad(store: TimelineStore, run: RunRecord | undefined, live: boolean): void {
  const id = run?.id;
  const state = run?.state;
  useEffect(() => {
    if (id === undefined || !live) return;
    void store.getState().actions.load(id);
  }, [store, id, state, live]);
}
