import { useId } from 'react';
import type { ReactNode } from 'react';

import styles from './field.module.css';

interface SelectFieldProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly {
    readonly value: string;
    readonly label: string;
    readonly disabled?: boolean;
  }[];
  readonly onChange: (value: string) => void;
  readonly disabled?: boolean;
  readonly hint?: string;
}

/** A labelled drop-down list. */
export function SelectField({
  label,
  value,
  options,
  onChange,
  disabled,
  hint,
}: SelectFieldProps): ReactNode {
  const id = useId();
  return (
    <div className={styles['field']} title={hint}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onCommit?: () => void;
  /** Shown after the field, e.g. a unit. */
  readonly suffix?: string;
  readonly placeholder?: string;
  /** What is wrong with the value, if anything. */
  readonly fault?: string | undefined;
  readonly disabled?: boolean;
  readonly mono?: boolean;
  /** What it means, for the pointer that rests on it. */
  readonly hint?: string;
  /** `password`: shown as dots and offered to no password manager. */
  readonly type?: 'text' | 'password';
}

/** A labelled line of text. Enter and leaving it commit. */
export function TextField(props: TextFieldProps): ReactNode {
  const id = useId();
  const faultId = `${id}-fault`;
  return (
    <div className={styles['field']} title={props.hint}>
      <label htmlFor={id}>{props.label}</label>
      <span className={styles['line']}>
        <input
          id={id}
          type={props.type ?? 'text'}
          className={props.mono === true ? styles['mono'] : undefined}
          value={props.value}
          placeholder={props.placeholder}
          disabled={props.disabled}
          autoComplete={props.type === 'password' ? 'new-password' : 'off'}
          spellCheck={false}
          aria-invalid={props.fault !== undefined}
          aria-describedby={props.fault === undefined ? undefined : faultId}
          onChange={(event) => props.onChange(event.currentTarget.value)}
          onBlur={() => props.onCommit?.()}
          onKeyDown={(event) => {
            if (event.key === 'Enter') props.onCommit?.();
          }}
        />
        {props.suffix !== undefined && <span className={styles['suffix']}>{props.suffix}</span>}
      </span>
      {props.fault !== undefined && (
        <span id={faultId} className={styles['fault']}>
          {props.fault}
        </span>
      )}
    </div>
  );
}
