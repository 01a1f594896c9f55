import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { EndpointRecord, EndpointTest, KeychainState, WireError } from '../../core/contract';

/** The last test of an endpoint. */
export type TestState =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly test: EndpointTest }
  | { readonly state: 'failed'; readonly error: WireError };

/** Something that was asked and not done. */
export interface EndpointFault {
  /** Endpoint it is about; absent when there is none (yet). */
  readonly id?: string;
  readonly title: string;
  readonly error: WireError;
}

export interface EndpointsState {
  /** Undefined until the engine first answered. Tokens are never in here. */
  readonly endpoints?: readonly EndpointRecord[];
  readonly loadError?: WireError | undefined;
  /** Endpoint shown in the inspector. */
  readonly selected?: string | undefined;
  /** What was removed last and can be put back. */
  readonly removed?: EndpointRecord | undefined;
  readonly tests: Readonly<Record<string, TestState>>;
  readonly fault?: EndpointFault | undefined;
  /** Undefined until the shell answered. */
  readonly keychain?: KeychainState;
  readonly actions: {
    readonly setEndpoints: (endpoints: readonly EndpointRecord[]) => void;
    readonly failLoading: (error: WireError) => void;
    /** One record, before the engine's next event tells all of them. */
    readonly update: (endpoint: EndpointRecord) => void;
    readonly select: (id: string | undefined) => void;
    readonly setRemoved: (endpoint: EndpointRecord | undefined) => void;
    readonly setTest: (id: string, test: TestState | undefined) => void;
    readonly setFault: (fault: EndpointFault | undefined) => void;
    readonly setKeychain: (keychain: KeychainState) => void;
  };
}

export type EndpointsStore = StoreApi<EndpointsState>;

const TIER_ORDER = { edge: 0, cloud: 1 } as const;

/** By tier, then by name. */
function ordered(endpoints: readonly EndpointRecord[]): readonly EndpointRecord[] {
  return [...endpoints].sort(
    (a, b) => TIER_ORDER[a.tier] - TIER_ORDER[b.tier] || a.name.localeCompare(b.name),
  );
}

/** The endpoints as the engine last told them, and what the user is doing with them. */
export function createEndpointsStore(): EndpointsStore {
  return createStore<EndpointsState>((set) => ({
    tests: {},
    actions: {
      setEndpoints: (endpoints) => set({ endpoints: ordered(endpoints), loadError: undefined }),
      failLoading: (loadError) => set({ loadError }),
      update: (endpoint) =>
        set(({ endpoints = [] }) => ({
          endpoints: ordered([...endpoints.filter(({ id }) => id !== endpoint.id), endpoint]),
        })),
      select: (selected) => set({ selected }),
      setRemoved: (removed) => set({ removed }),
      setTest: (id, test) =>
        set(({ tests }) => {
          const { [id]: _previous, ...others } = tests;
          return { tests: test === undefined ? others : { ...others, [id]: test } };
        }),
      setFault: (fault) => set({ fault }),
      setKeychain: (keychain) => set({ keychain }),
    },
  }));
}
