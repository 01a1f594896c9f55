import { useId } from 'react';
import type { ReactNode } from 'react';

import styles from './segmented.module.css';

interface SegmentedProps<T extends string> {
  /** Accessible name of the group. */
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly onChange: (value: T) => void;
  readonly disabled?: boolean;
}

/** One of a few choices, all in view. Native radio buttons give it the keyboard. */
export function Segmented<T extends string>(props: SegmentedProps<T>): ReactNode {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={props.label} className={styles['group']}>
      {props.options.map((option) => (
        <label key={option.value} title={option.hint} className={styles['option']}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === props.value}
            disabled={props.disabled}
            onChange={() => props.onChange(option.value)}
          />
          <span data-label={option.label}>{option.label}</span>
        </label>
      ))}
    </div>
  );
}
