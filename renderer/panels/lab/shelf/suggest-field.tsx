import { useId } from 'react';
import type { ReactNode } from 'react';

import styles from './shelf.module.css';

interface SuggestFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly placeholder?: string;
  /** What the browser offers while one types; anything else may be typed, too. */
  readonly offers: readonly string[];
  readonly fault?: string | undefined;
  readonly onChange: (value: string) => void;
}

/** A labelled line of text with suggestions. */
export function SuggestField(props: SuggestFieldProps): ReactNode {
  const id = useId();
  return (
    <div className={styles['area']} title={props.hint}>
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        list={`${id}-offers`}
        value={props.value}
        placeholder={props.placeholder}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={props.fault !== undefined}
        aria-describedby={props.fault === undefined ? undefined : `${id}-fault`}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      />
      <datalist id={`${id}-offers`}>
        {props.offers.map((offer) => (
          <option key={offer} value={offer} />
        ))}
      </datalist>
      {props.fault !== undefined && (
        <span id={`${id}-fault`} className={styles['areaFault']}>
          {props.fault}
        </span>
      )}
    </div>
  );
}
