import type { ReactNode } from 'react';

import type { BoxState } from '../../../core/contract';
import { fleet as WORDS } from '../../strings/en/fleet';
import styles from './box-state.module.css';

/** A shape and a word: the shape alone tells states apart without colour. */
export function BoxStateMark({ state }: { readonly state: BoxState }): ReactNode {
  return (
    <span className={styles['state']} data-state={state}>
      <i aria-hidden="true" />
      {WORDS.states[state]}
    </span>
  );
}
