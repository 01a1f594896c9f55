import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import { Button } from '../ui';
import { startTour } from './tour-steps';

const WORDS = strings.tour;

/** The way into the tour from an empty panel. */
export function TourLink(): ReactNode {
  const session = useSession();
  const state = useStore(session.layout, ({ tour }) => tour?.state);
  // The offer above says it already.
  if (state === undefined || state === 'on') return null;
  return (
    <Button variant="ghost" onClick={() => startTour(session)}>
      {state === 'left' ? WORDS.resume : WORDS.take}
    </Button>
  );
}
