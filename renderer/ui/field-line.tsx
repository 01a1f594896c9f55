import type { KeyboardEvent, ReactNode, Ref, SubmitEvent } from 'react';

import styles from './field-line.module.css';

interface FieldLineProps {
  readonly label: string;
  /** Of CSS grid, one for each field. */
  readonly tracks: readonly string[];
  readonly buttons: ReactNode;
  /** Below the line. */
  readonly note?: ReactNode;
  readonly ref?: Ref<HTMLFormElement>;
  readonly onSubmit: () => void;
  readonly onCancel?: () => void;
  /** The fields. */
  readonly children: ReactNode;
}

/** A form above a table: its fields in one line, buttons at their end. Escape cancels. */
export function FieldLine({
  label,
  tracks,
  buttons,
  note,
  ref,
  onSubmit,
  onCancel,
  children,
}: FieldLineProps): ReactNode {
  return (
    <form
      ref={ref}
      className={styles['form']}
      style={{ gridTemplateColumns: [...tracks, 'auto'].join(' ') }}
      aria-label={label}
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        onSubmit();
      }}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === 'Escape') onCancel?.();
      }}
    >
      {children}
      <span className={styles['buttons']}>{buttons}</span>
      {note !== undefined && <div className={styles['note']}>{note}</div>}
    </form>
  );
}
