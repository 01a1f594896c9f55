import type { ReactNode } from 'react';

import { Button } from './button';
import { CloseIcon } from './icons';
import styles from './inspector.module.css';

interface InspectorProps {
  readonly title: string;
  readonly closeLabel: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly testId?: string;
}

/** A panel's right-hand column about one chosen thing; where the panel is narrow it lies over the working area. */
export function Inspector({ title, closeLabel, onClose, children, testId }: InspectorProps): ReactNode {
  return (
    <aside
      className={styles['inspector']}
      aria-label={title}
      data-testid={testId}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <header className={styles['head']}>
        <h2 title={title}>{title}</h2>
        <Button variant="ghost" aria-label={closeLabel} onClick={onClose}>
          <CloseIcon />
        </Button>
      </header>
      <div className={styles['body']}>{children}</div>
    </aside>
  );
}
