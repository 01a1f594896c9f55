import type { ReactNode } from 'react';

import { FailureNote } from '../../../ui';
import styles from './shelf.module.css';
import type { LabAction } from './use-lab-action';

/** What an action left undone, and why. */
export function FaultNote({ action }: { readonly action: LabAction }): ReactNode {
  if (action.fault === undefined) return null;
  return (
    <div className={styles['fault']}>
      <FailureNote title={action.fault.title} error={action.fault.error} onDismiss={action.dismiss} />
    </div>
  );
}
