import type { ReactNode } from 'react';

import type { BudgetState } from '../../core/contract';
import { formatBytes } from '../format';
import { sumBudget } from '../stores';
import { strings } from '../strings';
import { SegmentBar } from '../ui';
import styles from './budget-widget.module.css';

const STRINGS = strings.app;

/** The budget as one bar: ring, resident, constants, free. Without a limit the bar is what is held. */
export function BudgetBar({ budget }: { readonly budget: BudgetState }): ReactNode {
  const use = sumBudget(budget);
  const words = STRINGS.budget;
  const parts = [
    { name: words.ring, kind: 'ring', bytes: use.ringBytes },
    { name: words.resident, kind: 'resident', bytes: use.residentBytes },
    { name: words.constants, kind: 'constants', bytes: use.constantBytes },
  ] as const;
  return (
    <SegmentBar
      className={styles['bar']}
      parts={parts}
      wholeBytes={Math.max(budget.limitBytes, use.parameterBytes)}
      label={parts.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ')}
    />
  );
}
