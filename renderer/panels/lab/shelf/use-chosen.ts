import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import { useSession } from '../../../session';
import type { Session } from '../../../session';

type Chosen = Readonly<Record<string, string | undefined>>;

/** Views are in the document only while they show; what was chosen in them stays with the session. */
const stores = new WeakMap<Session, StoreApi<Chosen>>();

function storeOf(session: Session): StoreApi<Chosen> {
  const known = stores.get(session) ?? createStore<Chosen>(() => ({}));
  stores.set(session, known);
  return known;
}

/** What is chosen in a view of the lab, kept while another one shows. */
export function useChosen(view: string): readonly [string | undefined, (id: string | undefined) => void] {
  const store = storeOf(useSession());
  const chosen = useStore(store, (state) => state[view]);
  return [chosen, (id) => store.setState({ [view]: id })];
}
