import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, FailureNote } from '../../../ui';
import type { LabAnswer } from '../use-lab-request';
import styles from './shelf.module.css';

const SHELF = strings.lab.shelf;

interface AnsweredProps<T> {
  readonly answer: LabAnswer<T>;
  readonly loading: string;
  readonly failedTitle: string;
  readonly children: (value: T) => ReactNode;
}

/** What was asked for: under way, failed (with the last answer below, where there is one), or there. */
export function Answered<T>({ answer, loading, failedTitle, children }: AnsweredProps<T>): ReactNode {
  const { engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const { value, error, askAgain } = answer;
  return (
    <>
      {error !== undefined && (
        <div className={styles['fault']}>
          <FailureNote
            title={value === undefined ? failedTitle : `${failedTitle}. ${SHELF.stale}`}
            error={error}
            actions={
              <Button variant="ghost" disabled={!live} onClick={askAgain}>
                {SHELF.retry}
              </Button>
            }
          />
        </div>
      )}
      {value !== undefined && children(value)}
      {value === undefined && error === undefined && (
        <p className={styles['loading']} role="status">
          {live ? loading : SHELF.waiting}
        </p>
      )}
    </>
  );
}
