import type { ReactNode } from 'react';

import type { BoxFigures } from '../../../core/contract';
import { formatBytes, formatBytesOf } from '../../format';
import { strings } from '../../strings';
import { SegmentBar } from '../../ui';
import styles from './box-budget.module.css';

const { fleet } = strings;

const WORDS = fleet.budget;

type Budget = Pick<BoxFigures, 'budgetLimitBytes' | 'budgetUsedBytes'>;

export function budgetText({ budgetLimitBytes, budgetUsedBytes }: Budget): string {
  return budgetLimitBytes > 0
    ? WORDS.free(formatBytes(budgetUsedBytes), formatBytes(budgetLimitBytes))
    : WORDS.noLimit(formatBytes(budgetUsedBytes));
}

/** The byte budget as everywhere in the console, in one line: a bar, and what is held of the limit. */
export function BoxBudget({ figures }: { readonly figures: Budget }): ReactNode {
  const { budgetLimitBytes: limitBytes, budgetUsedBytes: usedBytes } = figures;
  const hasLimit = limitBytes > 0;
  return (
    <span className={styles['budget']}>
      {hasLimit ? (
        <SegmentBar
          className={styles['bar']}
          parts={[{ kind: 'resident', name: WORDS.used, bytes: Math.min(usedBytes, limitBytes) }]}
          wholeBytes={limitBytes}
          label={budgetText(figures)}
        />
      ) : (
        <span className={styles['none']}>{WORDS.unlimited}</span>
      )}
      <span>{hasLimit ? formatBytesOf(usedBytes, limitBytes) : formatBytes(usedBytes)}</span>
    </span>
  );
}
