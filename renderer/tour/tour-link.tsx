import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import { Button } from '../ui';
import { OFFERED_IN, startTour } from './tour-steps';

const WORDS = strings.tour;

/** The way into the tour from an empty panel. */
export function TourLink(): ReactNode {
  const session = useSession();
  const state = useStore(session.layout, ({ tour }) => tour?.state);
  const panel = useStore(session.layout, (layout) => layout.panel);
  // The offer above says it already.
  const isSaid = state === undefined && panel === OFFERED_IN;
  if (isSaid || state === 'on') return null;
  return (
    <Button variant="ghost" onClick={() => startTour(session)}>
      {state === 'left' ? WORDS.resume : WORDS.take}
    </Button>
  );
}
