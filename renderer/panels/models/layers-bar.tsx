import type { ReactNode } from 'react';

import type { LayerInfo } from '../../../core/contract';
import { strings } from '../../strings';
import styles from './layers-bar.module.css';

const STRINGS = strings.models;

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

export function LayersBar({ layers }: { readonly layers: readonly LayerInfo[] }): ReactNode {
  return (
    <svg
      className={styles['bars']}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={STRINGS.inspector.bytesPerLayer}
    >
      <path d={layersPath(layers.map(({ weightBytes }) => weightBytes))} />
    </svg>
  );
}
