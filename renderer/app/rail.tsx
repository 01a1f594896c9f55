import type { ReactNode } from 'react';

import { PANELS } from '../panels';
import { useSession } from '../session';
import { strings } from '../strings';
import styles from './rail.module.css';

/** Switches panels; the order gives the number keys. */
export function Rail({ current }: { readonly current: string | undefined }): ReactNode {
  const { layout } = useSession();
  return (
    <nav className={styles['rail']} aria-label={strings.app.panels}>
      {PANELS.map((panel, index) => (
        <button
          key={panel.id}
          type="button"
          className={styles['item']}
          aria-current={panel.id === current ? 'page' : undefined}
          aria-keyshortcuts={String(index + 1)}
          title={`${panel.title} (${index + 1})`}
          onClick={() => layout.getState().actions.setPanel(panel.id)}
        >
          <panel.Icon />
          <span>{panel.title}</span>
        </button>
      ))}
    </nav>
  );
}
