import { useState } from 'react';
import type { ReactNode } from 'react';

import type { WireError } from '../../core/contract';
import { strings } from '../strings';
import { Button } from './button';
import styles from './failure-note.module.css';

const WORDS = strings.ui;

interface FailureNoteProps {
  /** What failed, as the user would say it. */
  readonly title: string;
  /** Why, and what to try: the error's message says both. */
  readonly error: WireError;
  /** Ways out, as buttons. */
  readonly actions?: ReactNode;
  readonly onDismiss?: () => void;
}

function detailsText(title: string, error: WireError): string {
  return `${title}\n${error.code}: ${error.message}\n${JSON.stringify(error.details, null, 2)}`;
}

/** A failure where it happened: what, why, what to try, and its details for a report. */
export function FailureNote({ title, error, actions, onDismiss }: FailureNoteProps): ReactNode {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  const copy = (): void => {
    // Absent on pages served over plain http from another machine.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (clipboard === undefined) {
      setCopied('refused');
      return;
    }
    clipboard.writeText(detailsText(title, error)).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  const copyLabel = { no: WORDS.copyDetails, yes: WORDS.copied, refused: WORDS.copyRefused }[copied];
  return (
    <div role="alert" className={styles['failure']} data-code={error.code}>
      <div className={styles['text']}>
        <strong>{title}</strong>
        <p>{error.message}</p>
      </div>
      <div className={styles['actions']}>
        {actions}
        <Button variant="ghost" onClick={copy}>
          {copyLabel}
        </Button>
        {onDismiss !== undefined && (
          <Button variant="ghost" onClick={onDismiss}>
            {WORDS.dismiss}
          </Button>
        )}
      </div>
    </div>
  );
}
