import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { UndoStrip } from '../../ui';
import { commitRemoval, undoRemoval } from './fleet-actions';

const { fleet } = strings;

const WORDS = fleet.removed;

/** What was taken off the list last, and the way back. */
export function RemovedBox(): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const removing = useStore(home.fleet, (state) => state.removing);
  if (removing === undefined) return null;
  return (
    <section aria-label={WORDS.region} data-testid="removed-box" data-box={removing.name}>
      <UndoStrip
        key={removing.id}
        undoLabel={WORDS.undo}
        disabled={false}
        onUndo={() => undoRemoval(home)}
        discardLabel={WORDS.discard}
        onDiscard={() => {
          if (live) void commitRemoval(home);
        }}
      >
        {WORDS.done} <b>{removing.name}</b>
        <span>{WORDS.hint}</span>
      </UndoStrip>
    </section>
  );
}
