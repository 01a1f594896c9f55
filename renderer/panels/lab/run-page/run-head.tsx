import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabRunRow } from '../../../../core/contract';
import { SaveReport } from '../../../report';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import { resumeRun } from '../runs/run-actions';
import { isOpen } from '../runs/run-values';
import { StateMark } from '../runs/state-mark';
import styles from './run-page.module.css';

const STRINGS = strings.lab.runPage;

/** What is being asked or filled in above the page. */
export type Doing = 'stop' | 'remove' | 'fork' | 'submit';

interface RunHeadProps {
  readonly row: LabRunRow;
  readonly doing: Doing | undefined;
  readonly onDo: (doing: Doing | undefined) => void;
  readonly onBack: () => void;
}

/** Why it is as it is: the reason, or how its program ended. */
function reasonOf({ reason, exitCode, signal }: LabRunRow): string | undefined {
  if (reason !== undefined) return reason;
  if (signal !== undefined) return STRINGS.signal(signal);
  return exitCode === undefined || exitCode === 0 ? undefined : STRINGS.exit(exitCode);
}

/** Name, state and reason, and what can be done with the run. */
export function RunHead({ row, doing, onDo, onBack }: RunHeadProps): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const isGoing = isOpen(row.state);
  const reason = reasonOf(row);
  const toggle = (what: Doing, label: string, hint: string): ReactNode => (
    <Button
      aria-pressed={doing === what}
      disabled={!live}
      title={hint}
      onClick={() => onDo(doing === what ? undefined : what)}
    >
      {label}
    </Button>
  );
  return (
    <header className={styles['head']}>
      <Button variant="ghost" title={STRINGS.backHint} onClick={onBack}>
        ‹ {STRINGS.back}
      </Button>
      <h2 title={row.name}>{row.name}</h2>
      <p role="status" className={styles['state']} data-testid="run-state" data-state={row.state}>
        <StateMark run={row} />
        {reason !== undefined && <span title={reason}>{reason}</span>}
      </p>
      <div className={styles['actions']}>
        {row.isLaunched && isGoing && (
          <Button disabled={!live || row.state === 'stopping'} onClick={() => onDo('stop')}>
            {STRINGS.stop}
          </Button>
        )}
        {row.isLaunched && !isGoing && row.state !== 'succeeded' && (
          <Button disabled={!live} title={STRINGS.resumeHint} onClick={() => void resumeRun(session, row)}>
            {STRINGS.resume}
          </Button>
        )}
        {row.isLaunched && toggle('fork', STRINGS.fork, STRINGS.forkHint)}
        {row.isLaunched && toggle('submit', STRINGS.submit, STRINGS.submitHint)}
        {live && <SaveReport key={row.runId} what={{ kind: 'labRun', run: row.runId }} />}
        {!isGoing && (
          <Button disabled={!live} onClick={() => onDo('remove')}>
            {STRINGS.remove}
          </Button>
        )}
      </div>
    </header>
  );
}
