import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { RemovedModel } from '../../../core/contract';
import { formatBytes, formatClock } from '../../format';
import { useSession } from '../../session';
import { Button, FailureNote } from '../../ui';
import { discardRemoved, restoreModel } from './library-actions';
import styles from './removed-strip.module.css';
import { STRINGS } from './strings';

const WORDS = STRINGS.removed;

function Strip({ removed }: { readonly removed: RemovedModel }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const undo = useRef<HTMLButtonElement>(null);
  // The button that removed the model went with it: by keyboard, taking it back is the next key.
  useEffect(() => {
    if (document.activeElement === document.body) undo.current?.focus();
  }, []);
  const { name } = removed;
  return (
    <div className={styles['strip']} data-testid="removed-strip" data-model={name}>
      <p role="status">
        {WORDS.done} <code>{name}</code>
        <span>{WORDS.space(formatBytes(removed.bytes), formatClock(removed.undoUntil))}</span>
      </p>
      <Button ref={undo} disabled={!live} onClick={() => void restoreModel(session, name)}>
        {WORDS.undo}
      </Button>
      <Button variant="ghost" disabled={!live} onClick={() => void discardRemoved(session, name)}>
        {WORDS.discard}
      </Button>
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
