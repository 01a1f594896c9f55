import type { LayerSums } from '../../timeline-engine';

export interface LayerRow extends LayerSums {
  /** Wait of the layer of the same name in the compared run. */
  readonly otherWaitUs: number;
}

export type SortKey = 'layer' | 'name' | 'readUs' | 'readBytes' | 'waitUs' | 'computeUs' | 'otherWaitUs';

export interface SortOrder {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** A sorted copy; equal rows keep the order of execution. */
export function sortRows(rows: readonly LayerRow[], { key, descending }: SortOrder): readonly LayerRow[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (key === 'name') return sign * a.name.localeCompare(b.name, undefined, { numeric: true });
    return sign * (a[key] - b[key]) || a.layer - b.layer;
  });
}
