import type { ReactNode } from 'react';

import { strings } from '../../../strings';
import { Button } from '../../../ui';
import styles from './shelf.module.css';

const SHELF = strings.lab.shelf;

interface AskStripProps {
  /** Names what goes. */
  readonly question: string;
  readonly yes: string;
  /** Default: Keep it. */
  readonly no?: string;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** Asks in place before something goes for good. */
export function AskStrip({ question, yes, no = SHELF.keep, onYes, onNo }: AskStripProps): ReactNode {
  return (
    <div
      role="group"
      aria-label={yes}
      className={styles['ask']}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // The inspector around it stays open.
        event.stopPropagation();
        onNo();
      }}
    >
      <p>{question}</p>
      <Button variant="danger" onClick={onYes}>
        {yes}
      </Button>
      <Button autoFocus onClick={onNo}>
        {no}
      </Button>
    </div>
  );
}
