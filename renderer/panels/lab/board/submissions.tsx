import type { ReactNode } from 'react';

import type { LabSubmission } from '../../../../core/contract';
import { strings } from '../../../strings';
import { formatMetric, formatWhen } from '../lab-format';
import { RunLink } from '../shelf';
import styles from './board.module.css';

const STRINGS = strings.lab.board;

const OPEN: ReadonlySet<LabSubmission['state']> = new Set(['queued', 'inferring', 'scoring']);

interface SubmissionsProps {
  readonly submissions: readonly LabSubmission[];
  readonly nowMs: number;
}

/** This user's, the newest first, with what became of each. */
export function Submissions({ submissions, nowMs }: SubmissionsProps): ReactNode {
  if (submissions.length === 0) return <p className={styles['noneMine']}>{STRINGS.noMine}</p>;
  return (
    <ul className={styles['mine']}>
      {submissions.map((submission) => {
        const { id, runId, runName, checkpoint, isDryRun, state, score, error, submittedMs } = submission;
        const from = checkpoint?.replace(/^checkpoints\//, '');
        return (
          <li key={id} data-testid="submission" data-state={state}>
            <div className={styles['mineLine']}>
              <RunLink runId={runId} name={runName} />
              <span className={styles['outcome']} data-state={state}>
                {OPEN.has(state) && <i className={styles['busy']} aria-hidden="true" />}
                {state === 'scored' ? formatMetric(score) : STRINGS.states[state]}
              </span>
            </div>
            <div className={styles['mineLine']}>
              <span className={styles['mineFacts']}>
                {isDryRun && <span className={styles['dryMark']}>{STRINGS.dry}</span>}
                <span title={checkpoint}>{from}</span>
              </span>
              <span>{formatWhen(submittedMs, nowMs)}</span>
            </div>
            {error !== undefined && <p className={styles['error']}>{error}</p>}
          </li>
        );
      })}
    </ul>
  );
}
