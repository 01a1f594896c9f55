import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { strings } from '../../../strings';
import styles from './state-mark.module.css';

const STRINGS = strings.lab.runs;
const STATES = strings.lab.frame.states;

type Stated = Pick<LabRunRow, 'state'> & Partial<Pick<LabRunRow, 'idleSinceMs' | 'position'>>;

/** The state in words, `running, idle` and a place in the queue included. */
export function stateText({ state, idleSinceMs, position }: Stated): string {
  if (state === 'running' && idleSinceMs !== undefined) return STRINGS.idle;
  if (state === 'queued' && position !== undefined) return STRINGS.position(position);
  return STATES[state];
}

/** A shape and a word: the shape alone tells states apart without colour. */
export function StateMark({ run }: { readonly run: Stated }): ReactNode {
  const isIdle = run.state === 'running' && run.idleSinceMs !== undefined;
  return (
    <span
      className={styles['state']}
      data-state={run.state}
      data-idle={isIdle}
      title={isIdle ? STRINGS.idleHint : undefined}
    >
      <i aria-hidden="true" />
      {stateText(run)}
    </span>
  );
}
