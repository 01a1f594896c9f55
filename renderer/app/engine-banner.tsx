import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import { Button } from '../ui';
import styles from './engine-banner.module.css';

const STRINGS = strings.app;

/** Says in the window that the engine died or is out of reach, why, and what can be done. */
export function EngineBanner(): ReactNode {
  const { engine, client, host } = useSession();
  const status = useStore(engine, (state) => state.status);
  if (status.state === 'ok' || status.state === 'starting') return null;
  const down = status.state === 'down';
  const remote = host.kind === 'browser';
  const downTitle = remote ? STRINGS.engineDownBrowser : STRINGS.engineDown;
  const restartTitle = remote ? STRINGS.engineReconnecting : STRINGS.engineRestarting;
  const reason = status.reason.charAt(0).toUpperCase() + status.reason.slice(1);
  return (
    <div role={down ? 'alert' : 'status'} className={styles['banner']} data-state={status.state}>
      <p>
        <strong>{down ? downTitle : restartTitle}</strong>
        <span>{reason}.</span>
        <span>{remote && down ? STRINGS.hostDownHint : STRINGS.engineDownHint}</span>
      </p>
      {down && <Button onClick={client.revive}>{remote ? STRINGS.connectAgain : STRINGS.startAgain}</Button>}
    </div>
  );
}
