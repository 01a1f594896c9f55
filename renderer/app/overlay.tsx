import { Dialog } from '@base-ui/react/dialog';
import { useState } from 'react';
import type { ReactNode } from 'react';

import styles from './overlay.module.css';

interface OverlayProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  /** Its name, where no `Dialog.Title` inside tells one. */
  readonly label?: string;
  readonly className?: string | undefined;
  readonly testId?: string;
  readonly children: ReactNode;
}

/** Gives the focus back to where it was, unless what was done in the dialog has moved it on. */
function useFocusBack(): () => HTMLElement | boolean {
  // Noted before the dialog is in the document: a field in it takes the focus while it is put there.
  const [before] = useState(() => document.activeElement);
  return () => {
    if (document.activeElement !== document.body) return false;
    return before instanceof HTMLElement && before.isConnected ? before : true;
  };
}

function OpenOverlay({
  onOpenChange,
  label,
  className,
  testId,
  children,
}: Omit<OverlayProps, 'open'>): ReactNode {
  const finalFocus = useFocusBack();
  return (
    <Dialog.Root open onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles['backdrop']} />
        <Dialog.Popup
          className={[styles['popup'], className].filter(Boolean).join(' ')}
          aria-label={label}
          data-testid={testId}
          finalFocus={finalFocus}
        >
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/**
 * A dialog over the whole window. It leaves the document together with its closing: one that stays to be faded out
 * keeps the focus for some frames, and keys typed meanwhile are lost in it.
 */
export function Overlay({ open, ...rest }: OverlayProps): ReactNode {
  return open ? <OpenOverlay {...rest} /> : null;
}
