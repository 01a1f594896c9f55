import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import type { HostServices } from '../transport';
import { Button } from '../ui';
import styles from './engine-banner.module.css';

const STRINGS = strings.app;
const { fleet } = strings;

interface Words {
  readonly down: string;
  readonly again: string;
  readonly downHint: string;
  readonly revive: string;
}

function wordsFor(kind: HostServices['kind'], box: string | undefined): Words {
  if (kind === 'box') {
    const name = box ?? fleet.menu.otherBox;
    const { lost, down, hint, again } = fleet.banner;
    return { down: down(name), again: lost(name), downHint: hint, revive: again };
  }
  if (kind === 'browser') {
    return {
      down: STRINGS.engineDownBrowser,
      again: STRINGS.engineReconnecting,
      downHint: STRINGS.hostDownHint,
      revive: STRINGS.connectAgain,
    };
  }
  return {
    down: STRINGS.engineDown,
    again: STRINGS.engineRestarting,
    downHint: STRINGS.engineDownHint,
    revive: STRINGS.startAgain,
  };
}

/** Says in the window that the engine died or is out of reach, why, and what can be done. */
export function EngineBanner(): ReactNode {
  const { engine, client, host, home } = useSession();
  const status = useStore(engine, (state) => state.status);
  const box = useStore(home.fleet, ({ shown, boxes }) =>
    shown === undefined ? undefined : boxes?.get(shown)?.name,
  );
  if (status.state === 'ok' || status.state === 'starting') return null;
  const down = status.state === 'down';
  const words = wordsFor(host.kind, box);
  const reason = status.reason.charAt(0).toUpperCase() + status.reason.slice(1);
  return (
    <div role={down ? 'alert' : 'status'} className={styles['banner']} data-state={status.state}>
      <p>
        <strong>{down ? words.down : words.again}</strong>
        <span>{reason}.</span>
        <span>{down ? words.downHint : STRINGS.engineDownHint}</span>
      </p>
      {down && <Button onClick={client.revive}>{words.revive}</Button>}
    </div>
  );
}
