import type { ReactNode } from 'react';

import styles from './segment-bar.module.css';

/** Who holds bytes of a budget; each has one colour wherever a budget is drawn. */
export type HolderKind = 'ring' | 'resident' | 'constants' | 'compressed' | 'stream' | 'stored';

interface SegmentBarProps {
  readonly parts: readonly { readonly kind: HolderKind; readonly name: string; readonly bytes: number }[];
  /** What the whole width stands for, bytes. */
  readonly wholeBytes: number;
  /** What it shows, in words. */
  readonly label: string;
  readonly className?: string | undefined;
}

/** A byte budget as one bar, segmented by who holds what. What is left over is free. */
export function SegmentBar({ parts, wholeBytes, label, className }: SegmentBarProps): ReactNode {
  const whole = Math.max(1, wholeBytes);
  return (
    <span
      className={[styles['bar'], className].filter(Boolean).join(' ')}
      role="img"
      aria-label={label}
      title={label}
    >
      {parts.map(({ name, kind, bytes }) => (
        <span key={name} data-kind={kind} style={{ width: `${(bytes / whole) * 100}%` }} />
      ))}
    </span>
  );
}
