import { useState } from 'react';
import type { PointerEvent, ReactNode } from 'react';

import type { CacheMap } from '../../../core/contract';
import { formatCount, formatPct } from '../../format';
import styles from './pictures.module.css';
import { STRINGS } from './strings';

const WORDS = STRINGS.map;
const WIDTH = 1000;
const HEIGHT = 100;

/** What is drawn of each layer: two columns side by side, the compressed cache's and the full one's. */
export type MapPart = 'kept' | 'inMemory' | 'onDisk';

/** The part of all layers as one path, so that many layers stay one element. Heights are shares of all tokens. */
export function mapPath(map: CacheMap, part: MapPart): string {
  const layers = map.kept.length;
  const step = WIDTH / Math.max(1, layers);
  const gap = step > 12 ? 2 : 0;
  const half = (step - gap) / 2;
  const whole = Math.max(1, map.tokens);
  return map[part]
    .map((tokens, layer) => {
      const left = layer * step + (part === 'kept' ? 0 : half);
      const below = part === 'onDisk' ? (map.inMemory[layer] ?? 0) : 0;
      const bottom = HEIGHT * (1 - below / whole);
      const top = HEIGHT * (1 - (below + tokens) / whole);
      if (tokens <= 0) return '';
      return `M${left.toFixed(1)} ${bottom.toFixed(2)}V${top.toFixed(2)}H${(left + half).toFixed(1)}V${bottom.toFixed(2)}Z`;
    })
    .join('');
}

function share(values: readonly number[], tokens: number): string {
  const sum = values.reduce((total, value) => total + value, 0);
  return formatPct((sum / Math.max(1, tokens * values.length)) * 100);
}

function layerText(map: CacheMap, layer: number): string {
  const count = (values: readonly number[]): string => formatCount(values[layer] ?? 0);
  return WORDS.layer(String(layer), count(map.kept), count(map.inMemory), count(map.onDisk));
}

function Columns({ map }: { readonly map: CacheMap }): ReactNode {
  const [layer, setLayer] = useState<number>();
  const layers = map.kept.length;
  const step = WIDTH / Math.max(1, layers);
  const point = (event: PointerEvent<HTMLElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = Math.floor(((event.clientX - box.left) / Math.max(1, box.width)) * layers);
    setLayer(Math.min(layers - 1, Math.max(0, at)));
  };
  return (
    <>
      <div className={styles['map']} onPointerMove={point} onPointerLeave={() => setLayer(undefined)}>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {layer !== undefined && (
            <rect className={styles['mark']} x={layer * step} y={0} width={step} height={HEIGHT} />
          )}
          {(['kept', 'inMemory', 'onDisk'] as const).map((part) => (
            <path key={part} data-part={part} d={mapPath(map, part)} />
          ))}
        </svg>
        {/* By key, and for assistive technology: one layer after the other. */}
        <input
          type="range"
          aria-label={WORDS.slider}
          aria-valuetext={layerText(map, layer ?? 0)}
          min={0}
          max={Math.max(0, layers - 1)}
          value={layer ?? 0}
          onChange={(event) => setLayer(Number(event.currentTarget.value))}
          onFocus={() => setLayer((old) => old ?? 0)}
          onBlur={() => setLayer(undefined)}
        />
      </div>
      <p className={styles['axis']}>
        {layer === undefined ? WORDS.axis(String(layers - 1)) : layerText(map, layer)}
      </p>
    </>
  );
}

/** By layer: how many tokens the compressed cache kept, and where those of the full cache are. */
export function CacheMapPicture({ map }: { readonly map: CacheMap | undefined }): ReactNode {
  if (map === undefined || map.kept.length === 0) return null;
  return (
    <section className={styles['picture']} aria-label={WORDS.title} data-testid="cache-map">
      <header>
        <h3>{WORDS.title}</h3>
        <span className={styles['figure']}>{WORDS.tokens(formatCount(map.tokens))}</span>
      </header>
      <Columns map={map} />
      <ul className={styles['legend']}>
        {(['kept', 'inMemory', 'onDisk'] as const).map((part) => (
          <li key={part} data-part={part} title={WORDS.hints[part]}>
            {WORDS[part]} <b>{share(map[part], map.tokens)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
