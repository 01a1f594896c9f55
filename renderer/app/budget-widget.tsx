import { Popover } from '@base-ui/react/popover';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../core/contract';
import type { BudgetState, WireError } from '../../core/contract';
import { formatBytes, NO_FIGURE, parseSize } from '../format';
import { useSession } from '../session';
import { sumBudget } from '../stores';
import { strings } from '../strings';
import { Button, FailureNote, TextField } from '../ui';
import { BudgetBar } from './budget-bar';
import { BudgetHolders } from './budget-holders';
import styles from './budget-widget.module.css';

const STRINGS = strings.app;

const WORDS = STRINGS.budget;

/** Reads the limit field: empty means no limit (0 bytes). */
function parseLimit(text: string): number | undefined {
  return text.trim() === '' ? 0 : parseSize(text);
}

function LimitForm({
  budget,
  onDone,
}: {
  readonly budget: BudgetState;
  readonly onDone: () => void;
}): ReactNode {
  const { client, budget: store } = useSession();
  const [text, setText] = useState(budget.limitBytes === 0 ? '' : formatBytes(budget.limitBytes));
  const [error, setError] = useState<WireError>();
  const limitBytes = parseLimit(text);
  const set = async (): Promise<void> => {
    if (limitBytes === undefined) return;
    try {
      store.getState().actions.setBudget(await client.request('budget.set', { limitBytes }));
      onDone();
    } catch (thrown) {
      setError(SluiceError.from(thrown).toWire());
    }
  };
  return (
    <form
      className={styles['form']}
      onSubmit={(event) => {
        event.preventDefault();
        void set();
      }}
    >
      <TextField
        label={WORDS.field}
        value={text}
        onChange={setText}
        placeholder={WORDS.placeholder}
        fault={limitBytes === undefined ? WORDS.badSize : undefined}
      />
      <Button type="submit" variant="primary" disabled={limitBytes === undefined}>
        {WORDS.set}
      </Button>
      {error !== undefined && <FailureNote title={WORDS.failed} error={error} />}
    </form>
  );
}

/** The byte budget of the whole engine: who holds what, and the limit. Click to set it. */
export function BudgetWidget(): ReactNode {
  const { budget: store } = useSession();
  const budget = useStore(store, (state) => state.budget);
  const [open, setOpen] = useState(false);
  const used = budget === undefined ? Number.NaN : sumBudget(budget).parameterBytes;
  const limit =
    budget === undefined ? NO_FIGURE : budget.limitBytes === 0 ? WORDS.none : formatBytes(budget.limitBytes);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={styles['trigger']} data-testid="budget" disabled={budget === undefined}>
        <span className={styles['label']}>{WORDS.name}</span>
        <span className={styles['limit']}>{limit}</span>
        {budget !== undefined && <BudgetBar budget={budget} />}
        <span className={styles['used']}>
          {formatBytes(used)} {WORDS.used}
        </span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="start">
          <Popover.Popup className={styles['popup']}>
            <Popover.Title className={styles['title']}>{WORDS.title}</Popover.Title>
            <Popover.Description className={styles['explain']}>{WORDS.explain}</Popover.Description>
            {budget !== undefined && <LimitForm budget={budget} onDone={() => setOpen(false)} />}
            {budget !== undefined && <BudgetHolders budget={budget} />}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
