import type { ReactNode } from 'react';

import { formatBytes, formatBytesOf, formatEta, formatRate } from '../format';
import { strings } from '../strings';
import { Button } from './button';
import { ProgressBar } from './progress-bar';
import styles from './progress-row.module.css';

interface ProgressRowProps {
  readonly title: string;
  readonly phase: string;
  readonly doneBytes: number;
  /** 0 while unknown. */
  readonly totalBytes: number;
  readonly bytesPerSec?: number | undefined;
  readonly etaSec?: number | undefined;
  readonly cancelLabel: string;
  /** Default `job-row`. */
  readonly testId?: string;
  readonly onCancel: () => void;
}

/** One long operation under way, as a list's entry: how far, how fast, how long, and the way to stop it. */
export function ProgressRow(props: ProgressRowProps): ReactNode {
  const { doneBytes, totalBytes, bytesPerSec, etaSec } = props;
  const amount =
    totalBytes > 0 ? formatBytesOf(doneBytes, totalBytes) : doneBytes > 0 ? formatBytes(doneBytes) : '';
  return (
    <li className={styles['row']} data-testid={props.testId ?? 'job-row'} data-state="running">
      <span className={styles['title']} title={props.title}>
        {props.title}
      </span>
      <span className={styles['phase']} title={props.phase}>
        {props.phase}
      </span>
      <ProgressBar label={props.title} fraction={totalBytes > 0 ? doneBytes / totalBytes : undefined} />
      <span className={styles['figure']}>{amount}</span>
      <span className={styles['figure']}>{bytesPerSec === undefined ? '' : formatRate(bytesPerSec)}</span>
      <span className={styles['figure']}>
        {etaSec === undefined ? '' : strings.ui.left(formatEta(etaSec))}
      </span>
      <Button variant="ghost" onClick={props.onCancel}>
        {props.cancelLabel}
      </Button>
    </li>
  );
}
