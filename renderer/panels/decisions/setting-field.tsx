import { useState } from 'react';
import type { ReactNode } from 'react';

import { TextField } from '../../ui';

interface SettingFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  readonly isValid: (value: number) => boolean;
  /** What is expected, shown while the text is none. */
  readonly fault: string;
  readonly disabled: boolean;
  readonly onCommit: (value: number) => void;
}

/** A number of the deployment: sent when the field is left or Enter pressed, and only when it is one and changed. */
export function SettingField(props: SettingFieldProps): ReactNode {
  // Undefined: nothing is being typed, the engine's value shows.
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
      hint={props.hint}
      value={draft ?? String(props.value)}
      disabled={props.disabled}
      fault={valid ? undefined : props.fault}
      onChange={setDraft}
      onCommit={commit}
    />
  );
}
