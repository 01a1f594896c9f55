import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import { SluiceError } from '../../../core/contract';
import type { TraceColumns, WireError } from '../../../core/contract';
import type { Session } from '../../session';

/** A trace on its way, here, or not to be had. */
export type TraceState =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly columns: TraceColumns }
  | { readonly state: 'failed'; readonly error: WireError };

export interface TimelineState {
  /** The run the user chose; without a choice the newest one with a trace is shown. */
  readonly chosen?: string | undefined;
  readonly compare?: string | undefined;
  readonly traces: Readonly<Record<string, TraceState>>;
  readonly actions: {
    /** Undefined: follow the newest run. */
    readonly choose: (runId: string | undefined) => void;
    readonly compareWith: (runId: string | undefined) => void;
    /** Fetches a run's trace. The one already here stays in view meanwhile. */
    readonly load: (runId: string) => Promise<void>;
    /** Drops traces that are not in view: a long one takes some megabytes. */
    readonly keepOnly: (runIds: readonly string[]) => void;
  };
}

/** Decisions and runs share the store: a run's key is its id, a decision's this. */
export function decisionKey(decisionId: number): string {
  return `decision:${decisionId}`;
}

export type TimelineStore = StoreApi<TimelineState>;

export function createTimelineStore(client: Session['client']): TimelineStore {
  return createStore<TimelineState>((set, get) => {
    const put = (runId: string, trace: TraceState): void =>
      set(({ traces }) => ({ traces: { ...traces, [runId]: trace } }));
    return {
      traces: {},
      actions: {
        choose: (chosen) =>
          set(({ compare }) => ({ chosen, compare: compare === chosen ? undefined : compare })),
        compareWith: (compare) => set({ compare }),
        load: async (runId) => {
          if (get().traces[runId]?.state !== 'ready') put(runId, { state: 'loading' });
          try {
            put(runId, { state: 'ready', columns: await client.request('runs.trace', { runId }) });
          } catch (thrown) {
            // History stays readable: a reload that fails leaves what is in view.
            if (get().traces[runId]?.state === 'ready') return;
            put(runId, { state: 'failed', error: SluiceError.from(thrown).toWire() });
          }
        },
        keepOnly: (runIds) =>
          set(({ traces }) => {
            const kept = Object.entries(traces).filter(([runId]) => runIds.includes(runId));
            return kept.length === Object.keys(traces).length ? {} : { traces: Object.fromEntries(kept) };
          }),
      },
    };
  });
}

const stores = new WeakMap<Session, TimelineStore>();

/** The panel's store of a session; it outlives the panel, which is in the document only while in view. */
export function timelineStoreOf(session: Session): TimelineStore {
  let store = stores.get(session);
  if (!store) {
    store = createTimelineStore(session.client);
    stores.set(session, store);
  }
  return store;
}

/** Puts a decision's requests in view. */
export function showDecision(session: Session, decisionId: number): void {
  timelineStoreOf(session).getState().actions.choose(decisionKey(decisionId));
  session.layout.getState().actions.setPanel('timeline');
}
