import type { ReactNode } from 'react';

import styles from './progress-bar.module.css';

interface ProgressBarProps {
  readonly label: string;
  /** 0..1, or undefined while the total is unknown. */
  readonly fraction: number | undefined;
}

export function ProgressBar({ label, fraction }: ProgressBarProps): ReactNode {
  const pct = fraction === undefined ? undefined : Math.round(Math.min(1, Math.max(0, fraction)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={pct}
      className={styles['track']}
    >
      <div
        className={pct === undefined ? styles['unknown'] : styles['bar']}
        data-done={pct === 100}
        style={pct === undefined ? undefined : { width: `${pct}%` }}
      />
    </div>
  );
}
