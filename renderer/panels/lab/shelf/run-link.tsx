import type { ReactNode } from 'react';

import { useSession } from '../../../session';
import { strings } from '../../../strings';
import styles from './shelf.module.css';

const SHELF = strings.lab.shelf;

/** The name of a run, which opens its page. */
export function RunLink({ runId, name }: { readonly runId: string; readonly name: string }): ReactNode {
  const { lab } = useSession();
  return (
    <button
      type="button"
      className={styles['link']}
      title={SHELF.openRun(name)}
      onClick={(event) => {
        event.stopPropagation();
        lab.getState().actions.open({ kind: 'run', runId });
      }}
      // Rows open on Enter, too.
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') event.stopPropagation();
      }}
    >
      {name}
    </button>
  );
}
