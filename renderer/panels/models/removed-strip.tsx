import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { RemovedModel } from '../../../core/contract';
import { formatBytes, formatClock } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { FailureNote, UndoStrip } from '../../ui';
import { discardRemoved, restoreModel } from './library-actions';

const STRINGS = strings.models;

const WORDS = STRINGS.removed;

function Strip({ removed }: { readonly removed: RemovedModel }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const { name } = removed;
  return (
    <div data-testid="removed-strip" data-model={name}>
      <UndoStrip
        undoLabel={WORDS.undo}
        disabled={!live}
        onUndo={() => void restoreModel(session, name)}
        discardLabel={WORDS.discard}
        onDiscard={() => void discardRemoved(session, name)}
      >
        {WORDS.done} <code>{name}</code>
        <span>{WORDS.space(formatBytes(removed.bytes), formatClock(removed.undoUntil))}</span>
      </UndoStrip>
    </div>
  );
}

/** What was removed last, how long and at what cost it can be put back, and the way to do it. */
export function RemovedStrip(): ReactNode {
  const { models, library } = useSession();
  const removed = useStore(models, (state) => state.removed);
  const error = useStore(library, (state) => state.restoreError);
  const { endRestore } = library.getState().actions;
  return (
    <section aria-label={WORDS.region}>
      {removed.map((model) => (
        <Strip key={model.undoUntil} removed={model} />
      ))}
      {error !== undefined && (
        <FailureNote
          title={WORDS.failed(error.name)}
          error={error.error}
          onDismiss={() => endRestore(error.name)}
        />
      )}
    </section>
  );
}
