import { useState } from 'react';
import type { ReactNode } from 'react';

import { formatBytes, parseSize } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { TextField } from '../../ui';
import type { RunPanelState } from './use-run-panel';

const STRINGS = strings.run;

/** The budget in figures: `64 MiB`, `1.5GB` or `12%` of the weights. Takes effect on Enter and when left. */
export function BudgetField({ panel }: { readonly panel: RunPanelState }): ReactNode {
  const { runSetup } = useSession();
  const [draft, setDraft] = useState<string>();
  const { model, setup, curve, budgetBytes } = panel;
  const least = curve.value?.minimumBytes ?? model.minimumBytes;
  const whole = Math.max(least, curve.value?.totalBytes ?? model.weightBytes);
  const shown = formatBytes(budgetBytes);
  const parsed = draft === undefined ? undefined : parseSize(draft, whole);
  // Half a MiB of slack: a figure copied from the screen is rounded.
  const slack = 2 ** 19;
  const fits = parsed !== undefined && parsed >= least - slack && parsed <= whole + slack;
  const commit = (): void => {
    if (draft === undefined || draft === shown) setDraft(undefined);
    else if (fits) {
      runSetup
        .getState()
        .actions.change(model.name, { budgetBytes: Math.min(whole, Math.max(least, parsed)) });
      setDraft(undefined);
    }
  };
  return (
    <TextField
      label={STRINGS.budgetField}
      value={draft ?? shown}
      disabled={setup.mode === 'resident'}
      fault={
        draft === undefined || fits ? undefined : STRINGS.badBudget(formatBytes(least), formatBytes(whole))
      }
      onChange={setDraft}
      onCommit={commit}
    />
  );
}
