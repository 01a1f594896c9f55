import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import type { UpdateState } from '../../core/contract';
import { useSession } from '../session';
import { strings } from '../strings';
import type { ApplicationUpdates } from '../transport';
import { Button } from '../ui';
import styles from './update-notice.module.css';

const STRINGS = strings.updates;

function textOf(state: UpdateState): string {
  switch (state.state) {
    case 'off':
      return state.reason;
    case 'failed':
      return state.message;
    case 'idle':
      return '';
    case 'checking':
      return STRINGS.checking;
    case 'downloading':
      return STRINGS.downloading(state.version, state.percent);
    default:
      return STRINGS[state.state](state.version);
  }
}

function nextStep(state: UpdateState, updates: ApplicationUpdates): ReactNode {
  switch (state.state) {
    case 'available':
      return <Button onClick={() => void updates.download()}>{STRINGS.download}</Button>;
    case 'ready':
      return <Button onClick={() => void updates.install()}>{STRINGS.install}</Button>;
    case 'failed':
      return <Button onClick={() => void updates.check()}>{STRINGS.again}</Button>;
    default:
      return null;
  }
}

/** What came of a check for updates, since somebody asked for one. */
export function UpdateNotice(): ReactNode {
  const { updates } = useSession().host;
  const [state, setState] = useState<UpdateState>();
  useEffect(() => updates?.onState(setState), [updates]);
  if (updates === undefined || state === undefined || state.state === 'idle') return null;
  return (
    <div
      role={state.state === 'failed' ? 'alert' : 'status'}
      className={styles['notice']}
      data-testid="update-notice"
      data-state={state.state}
    >
      <p>{textOf(state)}</p>
      {nextStep(state, updates)}
      <Button onClick={() => setState(undefined)}>{STRINGS.close}</Button>
    </div>
  );
}
