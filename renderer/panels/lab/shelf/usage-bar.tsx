import type { ReactNode } from 'react';

import styles from './shelf.module.css';

interface UsageBarProps {
  readonly used: number;
  readonly total: number;
  /** What it shows, in words. */
  readonly label: string;
}

/** How much of something is taken. */
export function UsageBar({ used, total, label }: UsageBarProps): ReactNode {
  const pct = total > 0 ? Math.min(100, Math.max(0, (used / total) * 100)) : 0;
  return (
    <span className={styles['usage']} role="img" aria-label={label} title={label} data-full={pct >= 100}>
      <i style={{ width: `${pct}%` }} />
    </span>
  );
}
