import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { ReactNode } from 'react';

import type { LayerInfo } from '../../../core/contract';
import { formatBytes, formatMs, NO_FIGURE } from '../../format';
import { strings } from '../../strings';
import { HelpedLabel } from '../../ui';
import type { HelpId } from '../../ui';
import styles from './layers-table.module.css';

const STRINGS = strings.models;

const ROW_PX = 24;
const COLUMNS = STRINGS.inspector.columns;
/** What the columns with figures tell. */
const HELP: Readonly<Partial<Record<string, HelpId>>> = {
  weights: 'models.layers',
  tiles: 'models.tiles',
  compute: 'models.compute',
};

function LayerRow({ layer, topPx }: { readonly layer: LayerInfo; readonly topPx: number }): ReactNode {
  return (
    <div
      role="row"
      aria-rowindex={layer.index + 2}
      className={styles['row']}
      style={{ transform: `translateY(${topPx}px)` }}
    >
      <span role="cell" className={styles['number']}>
        {layer.index + 1}
      </span>
      <span role="cell" className={styles['name']} title={layer.name}>
        {layer.name}
      </span>
      <span role="cell">{layer.op}</span>
      <span role="cell" className={styles['number']}>
        {formatBytes(layer.weightBytes)}
      </span>
      <span role="cell" className={styles['number']}>
        {layer.maxTiles}
      </span>
      <span role="cell" className={styles['number']}>
        {layer.computeMs === undefined ? NO_FIGURE : formatMs(layer.computeMs)}
      </span>
    </div>
  );
}

/** The layers in execution order; only rows in view are in the document, so thousands scroll freely. */
export function LayersTable({ layers }: { readonly layers: readonly LayerInfo[] }): ReactNode {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: layers.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    // The head sticks above the rows and scrolls with them.
    scrollMargin: ROW_PX,
  });
  return (
    <div
      ref={scroll}
      role="table"
      tabIndex={0}
      aria-label={STRINGS.inspector.layers}
      aria-rowcount={layers.length + 1}
      className={styles['table']}
    >
      <div role="row" aria-rowindex={1} className={styles['head']}>
        {Object.entries(COLUMNS).map(([key, label]) => (
          <span
            key={key}
            role="columnheader"
            className={['name', 'op'].includes(key) ? undefined : styles['number']}
          >
            <HelpedLabel help={HELP[key]}>{label}</HelpedLabel>
          </span>
        ))}
      </div>
      <div role="rowgroup" style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const layer = layers[index];
          return layer === undefined ? null : <LayerRow key={index} layer={layer} topPx={start - ROW_PX} />;
        })}
      </div>
    </div>
  );
}
