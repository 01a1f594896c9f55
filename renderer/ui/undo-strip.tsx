import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

import { Button } from './button';
import styles from './undo-strip.module.css';

interface UndoStripProps {
  /** What went, and until when it can be put back. */
  readonly children: ReactNode;
  readonly undoLabel: string;
  readonly disabled: boolean;
  readonly onUndo: () => void;
  /** Gives up what could be put back. */
  readonly discardLabel?: string;
  readonly onDiscard?: () => void;
  /** False where it was there before the panel came into view. Default true. */
  readonly takesFocus?: boolean;
}

/** Says what was just taken away and offers to put it back. */
export function UndoStrip({ takesFocus = true, ...props }: UndoStripProps): ReactNode {
  const undo = useRef<HTMLButtonElement>(null);
  // The button that took it away went with it: by keyboard, taking it back is the next key.
  useEffect(() => {
    if (takesFocus && document.activeElement === document.body) undo.current?.focus();
  }, [takesFocus]);
  return (
    <div className={styles['strip']}>
      <p role="status">{props.children}</p>
      <Button ref={undo} disabled={props.disabled} onClick={props.onUndo}>
        {props.undoLabel}
      </Button>
      {props.onDiscard !== undefined && (
        <Button variant="ghost" disabled={props.disabled} onClick={props.onDiscard}>
          {props.discardLabel}
        </Button>
      )}
    </div>
  );
}
