import { useCallback, useState } from 'react';
import { useStore } from 'zustand';

import type { DecisionRecord } from '../../../core/contract';
import { useSession } from '../../session';

/** The engine keeps the traces of some more; nobody chooses from a longer list. */
const OFFERED = 40;

function recent(decisions: readonly DecisionRecord[]): readonly DecisionRecord[] {
  return decisions.filter(({ meanResponseMs }) => meanResponseMs !== undefined).slice(0, OFFERED);
}

/**
 * The last decisions, as they were when the panel opened or `refresh` was called: ten come every second, and a list
 * that moves can't be chosen from.
 */
export function useRecentDecisions(): readonly [readonly DecisionRecord[], () => void] {
  const { offload } = useSession();
  // The first ones are not waited for by hand.
  const isFilled = useStore(offload, (state) => recent(state.decisions).length > 0);
  const [offered, setOffered] = useState(() => recent(offload.getState().decisions));
  const refresh = useCallback(() => setOffered(recent(offload.getState().decisions)), [offload]);
  if (isFilled && offered.length === 0) refresh();
  return [offered, refresh];
}
