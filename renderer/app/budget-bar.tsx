import type { ReactNode } from 'react';

import type { BudgetState } from '../../core/contract';
import { formatBytes } from '../format';
import { sumBudget } from '../stores';
import styles from './budget-widget.module.css';
import { STRINGS } from './strings';

/** The budget as one bar: ring, resident, constants, free. Without a limit the bar is what is held. */
export function BudgetBar({ budget }: { readonly budget: BudgetState }): ReactNode {
  const use = sumBudget(budget);
  const whole = Math.max(budget.limitBytes, use.parameterBytes, 1);
  const words = STRINGS.budget;
  const parts = [
    { name: words.ring, kind: 'ring', bytes: use.ringBytes },
    { name: words.resident, kind: 'resident', bytes: use.residentBytes },
    { name: words.constants, kind: 'constants', bytes: use.constantBytes },
  ];
  const text = parts.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ');
  return (
    <span className={styles['bar']} role="img" aria-label={text} title={text}>
      {parts.map(({ name, kind, bytes }) => (
        <span key={name} data-kind={kind} style={{ width: `${(bytes / whole) * 100}%` }} />
      ))}
    </span>
  );
}
