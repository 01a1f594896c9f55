import type { ReactNode } from 'react';

import type { LabTrial } from '../../../../core/contract';
import { strings } from '../../../strings';
import styles from './searches.module.css';

const STRINGS = strings.lab.searches;

const POOLS = ['live', 'finished', 'stop', 'dead'] as const;

/** How many trials are in each pool, as one bar and in words. */
export function PoolsBar({ trials }: { readonly trials: readonly LabTrial[] }): ReactNode {
  const counts = POOLS.map((pool) => ({ pool, count: trials.filter((trial) => trial.pool === pool).length }));
  const pooled = counts.reduce((sum, { count }) => sum + count, 0);
  return (
    <div className={styles['pools']} data-testid="pools">
      <span className={styles['poolsBar']} aria-hidden="true">
        {counts.map(({ pool, count }) => (
          <i key={pool} data-pool={pool} style={{ width: `${(count / Math.max(1, pooled)) * 100}%` }} />
        ))}
      </span>
      <ul aria-label={STRINGS.poolsLabel}>
        {counts.map(({ pool, count }) => (
          <li key={pool} title={STRINGS.poolHints[pool]} data-none={count === 0}>
            <i data-pool={pool} aria-hidden="true" />
            {STRINGS.poolCount(STRINGS.pools[pool], count)}
          </li>
        ))}
      </ul>
    </div>
  );
}
