import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import { Button } from '../ui';
import { OFFERED_IN, startTour } from './tour-steps';
import styles from './tour.module.css';

const WORDS = strings.tour;

/** A line above the panel the tour begins in, while nothing has been run; it covers nothing and asks nothing. */
export function TourOffer(): ReactNode {
  const session = useSession();
  const { layout, runs, models, engine } = session;
  const isOffered = useStore(layout, (state) => state.tour === undefined && state.panel === OFFERED_IN);
  const hasRun = useStore(runs, (state) => state.runs.length > 0);
  const isKnown = useStore(models, (state) => state.models !== undefined);
  const live = useStore(engine, (state) => state.status.state === 'ok');
  if (!isOffered || hasRun || !isKnown || !live) return null;
  return (
    <aside className={styles['offer']} aria-label={WORDS.name} data-testid="tour-offer">
      <p>{WORDS.offer}</p>
      <Button variant="primary" onClick={() => startTour(session)}>
        {WORDS.take}
      </Button>
      <Button onClick={() => layout.getState().actions.setTour({ state: 'done', step: 0 })}>
        {WORDS.notNow}
      </Button>
    </aside>
  );
}
