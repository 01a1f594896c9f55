import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { NO_FIGURE } from '../../../format';
import { formatMetric, formatMoment, formatTaken, formatWhen } from '../lab-format';
import type { RunColumn } from './columns';
import { durationMs, isOpen, partedKey, valueOf } from './run-values';
import { StateMark } from './state-mark';
import { lookedAtMs, useNow } from '../../../ui/use-now';

/** Counts while the run goes on. */
function Counting({ row }: { readonly row: LabRunRow }): ReactNode {
  const ms = durationMs(row, useNow());
  return ms === undefined ? NO_FIGURE : formatTaken(ms);
}

function textOf(row: LabRunRow, key: string): string {
  const parted = partedKey(key);
  if (parted?.kind === 'metrics') return formatMetric(row.metrics[parted.name]);
  const value = valueOf(row, key, 0);
  return value === undefined ? NO_FIGURE : String(value);
}

/** The whole of what a narrow column cuts off. */
export function cellTitle(row: LabRunRow, key: string): string | undefined {
  if (key === 'created') return formatMoment(row.createdMs);
  if (key === 'state') return row.reason;
  const parted = partedKey(key);
  if (parted?.kind === 'metrics') return String(row.metrics[parted.name] ?? '');
  return textOf(row, key);
}

export function RunCell({ row, column }: { readonly row: LabRunRow; readonly column: RunColumn }): ReactNode {
  switch (column.key) {
    case 'state':
      return <StateMark run={row} />;
    case 'created':
      return formatWhen(row.createdMs, lookedAtMs());
    case 'duration':
      if (isOpen(row.state) || row.endedMs === undefined) return <Counting row={row} />;
      return formatTaken(durationMs(row, row.endedMs) ?? Number.NaN);
    default:
      return textOf(row, column.key);
  }
}
