import { useId } from 'react';
import type { ReactNode, Ref } from 'react';

import styles from './shelf.module.css';

interface TextAreaProps {
  readonly label: string;
  readonly value: string;
  readonly rows: number;
  readonly onChange: (value: string) => void;
  readonly onBlur?: () => void;
  readonly placeholder?: string;
  readonly fault?: string | undefined;
  readonly disabled?: boolean;
  readonly mono?: boolean;
  readonly hint?: string;
  readonly ref?: Ref<HTMLTextAreaElement>;
}

/** Labelled lines of text. */
export function TextArea({ ref, ...props }: TextAreaProps): ReactNode {
  const id = useId();
  const faultId = `${id}-fault`;
  return (
    <div className={styles['area']} title={props.hint}>
      <label htmlFor={id}>{props.label}</label>
      <textarea
        ref={ref}
        id={id}
        rows={props.rows}
        className={props.mono === true ? styles['mono'] : undefined}
        value={props.value}
        placeholder={props.placeholder}
        disabled={props.disabled}
        spellCheck={props.mono !== true}
        aria-invalid={props.fault !== undefined}
        aria-describedby={props.fault === undefined ? undefined : faultId}
        onChange={(event) => props.onChange(event.currentTarget.value)}
        onBlur={props.onBlur}
      />
      {props.fault !== undefined && (
        <span id={faultId} className={styles['areaFault']}>
          {props.fault}
        </span>
      )}
    </div>
  );
}
