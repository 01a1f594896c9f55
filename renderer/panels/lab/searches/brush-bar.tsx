import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabSearch } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import type { ParallelBrush } from '../parallel';
import { FaultNote, useLabAction } from '../shelf';
import styles from './searches.module.css';
import { brushesOf, brushText, trialsWithin } from './trial-space';

const STRINGS = strings.lab.searches;

interface BrushBarProps {
  readonly search: LabSearch;
  readonly brushes: readonly ParallelBrush[];
  readonly onClear: () => void;
  /** The search that was started. */
  readonly onStarted: (id: string) => void;
}

/** What the brush holds, and the way to search within it. */
export function BrushBar({ search, brushes, onClear, onStarted }: BrushBarProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  if (brushes.length === 0) {
    return (
      <div className={styles['brush']} data-testid="brush-bar">
        <span>{STRINGS.trials}</span>
        <p>{STRINGS.brushHint}</p>
      </div>
    );
  }
  const parts = brushesOf(search, brushes);
  const partsText = parts.map(brushText).join('; ');
  const narrow = (): void => {
    void action.attempt(STRINGS.narrowFailed, async () => {
      const started = await client.request('lab.narrowSearch', { id: search.id, brushes: parts });
      onStarted(started.id);
    });
  };
  return (
    <>
      <div className={styles['brush']} data-testid="brush-bar" data-on="true">
        <span role="status">
          {STRINGS.inBrush(trialsWithin(search.trials, brushes).length, search.trials.length)}
        </span>
        <span className={styles['parts']} title={partsText}>
          {partsText === '' ? STRINGS.narrowNothing : partsText}
        </span>
        <Button variant="ghost" onClick={onClear}>
          {STRINGS.clearBrush}
        </Button>
        <Button
          variant="primary"
          title={`${STRINGS.narrowHint} ${partsText}`}
          disabled={!live || action.isBusy || parts.length === 0}
          onClick={narrow}
        >
          {STRINGS.narrow}
        </Button>
      </div>
      <FaultNote action={action} />
    </>
  );
}
