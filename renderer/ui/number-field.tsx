import { useState } from 'react';
import type { ReactNode } from 'react';

import { TextField } from './field';

interface NumberFieldProps {
  readonly label: string;
  readonly hint?: string;
  /** Shown after the field, e.g. a unit. */
  readonly suffix?: string;
  readonly value: number;
  readonly isValid: (value: number) => boolean;
  /** What is expected, shown while the text is none. */
  readonly fault: string;
  readonly disabled: boolean;
  readonly onCommit: (value: number) => void;
}

/** A number that is set: sent when the field is left or Enter pressed, and only when it is one and changed. */
export function NumberField(props: NumberFieldProps): ReactNode {
  // Undefined: nothing is being typed, the value in force shows.
  const [draft, setDraft] = useState<string>();
  const typed = draft === undefined ? props.value : Number(draft.trim().replace(',', '.') || 'none');
  const valid = Number.isFinite(typed) && props.isValid(typed);
  const commit = (): void => {
    if (draft === undefined || !valid) return;
    setDraft(undefined);
    if (typed !== props.value) props.onCommit(typed);
  };
  return (
    <TextField
      label={props.label}
      {...(props.hint === undefined ? {} : { hint: props.hint })}
      {...(props.suffix === undefined ? {} : { suffix: props.suffix })}
      value={draft ?? String(props.value)}
      disabled={props.disabled}
      fault={valid ? undefined : props.fault}
      onChange={setDraft}
      onCommit={commit}
    />
  );
}
