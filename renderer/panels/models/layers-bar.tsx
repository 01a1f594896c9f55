import type { ReactNode } from 'react';

import type { LayerInfo } from '../../../core/contract';
import { formatBytes } from '../../format';
import { strings } from '../../strings';
import { ChartFrame } from '../../ui';
import type { ChartTable } from '../../ui';
import styles from './layers-bar.module.css';

const WORDS = strings.models.inspector;

const WIDTH = 1000;
const HEIGHT = 56;

/**
 * Bytes of each layer in execution order, as one path: thousands of layers stay one element. Heights follow the
 * square root, so that small layers remain visible beside a dense layer a hundred times their size.
 */
export function layersPath(weightBytes: readonly number[]): string {
  const largest = Math.max(1, ...weightBytes);
  const step = WIDTH / Math.max(1, weightBytes.length);
  const gap = step > 6 ? 1 : 0;
  return weightBytes
    .map((bytes, index) => {
      const height = bytes === 0 ? 0 : Math.max(1, Math.sqrt(bytes / largest) * HEIGHT);
      const x = index * step;
      return `M${x.toFixed(1)} ${HEIGHT}V${(HEIGHT - height).toFixed(1)}H${(x + step - gap).toFixed(1)}V${HEIGHT}Z`;
    })
    .join('');
}

function layersTable(layers: readonly LayerInfo[]): ChartTable {
  return {
    columns: [WORDS.columns.index, WORDS.columns.name, WORDS.bytesPerLayer],
    rows: layers.map(({ index, name, weightBytes }) => [index + 1, name, weightBytes]),
  };
}

export function LayersBar({ layers }: { readonly layers: readonly LayerInfo[] }): ReactNode {
  return (
    <ChartFrame
      className={styles['frame']}
      title={WORDS.bytesPerLayer}
      table={() => layersTable(layers)}
      lines={[2]}
      text={formatBytes}
    >
      <svg
        className={styles['bars']}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path d={layersPath(layers.map(({ weightBytes }) => weightBytes))} />
      </svg>
    </ChartFrame>
  );
}
