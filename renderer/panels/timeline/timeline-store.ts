import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import { SluiceError } from '../../../core/contract';
import type { RemoteTrace, TraceColumns, WireError } from '../../../core/contract';
import type { Session } from '../../session';

/** What was recorded: of a run, or of a decision's requests. */
export type Recorded =
  | { readonly source: 'layers'; readonly columns: TraceColumns }
  | { readonly source: 'requests'; readonly columns: RemoteTrace };

/** A trace on its way, here, or not to be had. */
export type TraceState =
  | { readonly state: 'loading' }
  | ({ readonly state: 'ready' } & Recorded)
  | { readonly state: 'failed'; readonly error: WireError };

export interface TimelineState {
  /** Key of the run or decision the user chose; without a choice the newest run with a trace is shown. */
  readonly chosen?: string | undefined;
  readonly compare?: string | undefined;
  readonly traces: Readonly<Record<string, TraceState>>;
  readonly actions: {
    /** Undefined: follow the newest run. */
    readonly choose: (key: string | undefined) => void;
    readonly compareWith: (key: string | undefined) => void;
    /** Fetches a trace. The one already here stays in view meanwhile. */
    readonly load: (key: string) => Promise<void>;
    /** Drops traces that are not in view: a long one takes some megabytes. */
    readonly keepOnly: (keys: readonly string[]) => void;
  };
}

/** Decisions and runs share the store: a run's key is its id, a decision's this. */
export function decisionKey(decisionId: number): string {
  return `${DECISION}${decisionId}`;
}

/** The decision of a key; undefined for a run's. */
export function decisionOf(key: string): number | undefined {
  return key.startsWith(DECISION) ? Number(key.slice(DECISION.length)) : undefined;
}

const DECISION = 'decision:';

async function fetchTrace(client: Session['client'], key: string): Promise<Recorded> {
  const decisionId = decisionOf(key);
  return decisionId === undefined
    ? { source: 'layers', columns: await client.request('runs.trace', { runId: key }) }
    : { source: 'requests', columns: await client.request('offload.trace', { decisionId }) };
}

export type TimelineStore = StoreApi<TimelineState>;

export function createTimelineStore(client: Session['client']): TimelineStore {
  return createStore<TimelineState>((set, get) => {
    const put = (key: string, trace: TraceState): void =>
      set(({ traces }) => ({ traces: { ...traces, [key]: trace } }));
    return {
      traces: {},
      actions: {
        choose: (chosen) =>
          set(({ compare }) => ({ chosen, compare: compare === chosen ? undefined : compare })),
        compareWith: (compare) => set({ compare }),
        load: async (key) => {
          if (get().traces[key]?.state !== 'ready') put(key, { state: 'loading' });
          try {
            put(key, { state: 'ready', ...(await fetchTrace(client, key)) });
          } catch (thrown) {
            // History stays readable: a reload that fails leaves what is in view.
            if (get().traces[key]?.state === 'ready') return;
            put(key, { state: 'failed', error: SluiceError.from(thrown).toWire() });
          }
        },
        keepOnly: (keys) =>
          set(({ traces }) => {
            const kept = Object.entries(traces).filter(([key]) => keys.includes(key));
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
