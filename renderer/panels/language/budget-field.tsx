import { useState } from 'react';
import type { ReactNode } from 'react';

import { formatBytes, parseSize } from '../../format';
import { strings } from '../../strings';
import { TextField } from '../../ui';

const STRINGS = strings.language;

const WORDS = STRINGS.settings;

interface BudgetFieldProps {
  /** 0: automatic. */
  readonly budgetBytes: number;
  readonly disabled: boolean;
  readonly onCommit: (budgetBytes: number) => void;
}

/** The caches' memory as a size; empty lets the engine choose. Takes effect on Enter and when left. */
export function BudgetField({ budgetBytes, disabled, onCommit }: BudgetFieldProps): ReactNode {
  const [draft, setDraft] = useState<string>();
  const shown = budgetBytes === 0 ? '' : formatBytes(budgetBytes);
  const typed = draft === undefined ? budgetBytes : draft.trim() === '' ? 0 : parseSize(draft);
  const commit = (): void => {
    if (draft === undefined || typed === undefined) return;
    setDraft(undefined);
    // A figure taken from the screen is rounded: left as it was, it changes nothing.
    if (draft !== shown && typed !== budgetBytes) onCommit(typed);
  };
  return (
    <TextField
      label={WORDS.budget}
      hint={WORDS.budgetHint}
      value={draft ?? shown}
      placeholder={WORDS.budgetAuto}
      disabled={disabled}
      fault={typed === undefined ? WORDS.badBudget : undefined}
      onChange={setDraft}
      onCommit={commit}
    />
  );
}
