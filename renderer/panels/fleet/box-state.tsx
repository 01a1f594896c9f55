import type { ReactNode } from 'react';

import type { BoxState } from '../../../core/contract';
import { strings } from '../../strings';
import styles from './box-state.module.css';

const WORDS = strings.fleet;

/** A shape and a word: the shape alone tells states apart without colour. */
export function BoxStateMark({ state }: { readonly state: BoxState }): ReactNode {
  return (
    <span className={styles['state']} data-state={state}>
      <i aria-hidden="true" />
      {WORDS.states[state]}
    </span>
  );
}
