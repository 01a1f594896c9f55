import { useState } from 'react';
import type { PointerEvent, ReactNode } from 'react';

import type { CacheMap } from '../../../core/contract';
import { formatCount, formatPct } from '../../format';
import { strings } from '../../strings';
import { ChartFrame, Help } from '../../ui';
import type { ChartTable } from '../../ui';
import styles from './pictures.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.map;
const WIDTH = 1000;
const HEIGHT = 100;

type MapPart = 'kept' | 'inMemory' | 'onDisk';

/**
 * A part of all layers as one path, so that many layers stay one element: a column a layer, as high as its share of
 * all tokens. @param below tokens of each layer that the columns stand on.
 */
export function mapPath(
  tokens: readonly number[],
  wholeTokens: number,
  below: readonly number[] = [],
): string {
  const step = WIDTH / Math.max(1, tokens.length);
  const gap = step > 12 ? 2 : 0;
  const whole = Math.max(1, wholeTokens);
  return tokens
    .map((count, layer) => {
      if (count <= 0) return '';
      const base = below[layer] ?? 0;
      const bottom = (HEIGHT * (1 - base / whole)).toFixed(2);
      const top = (HEIGHT * (1 - (base + count) / whole)).toFixed(2);
      const left = layer * step;
      return `M${left.toFixed(1)} ${bottom}V${top}H${(left + step - gap).toFixed(1)}V${bottom}Z`;
    })
    .join('');
}

/**
 * Tokens of the text so far. Without verification the compressed cache alone goes on, and knows more of it than the
 * full one.
 */
export function allTokens({ tokens, kept }: Pick<CacheMap, 'tokens' | 'kept'>): number {
  return kept.reduce((most, count) => Math.max(most, count), tokens);
}

function share(values: readonly number[], tokens: number): string {
  const sum = values.reduce((total, value) => total + value, 0);
  return formatPct((sum / Math.max(1, tokens * values.length)) * 100);
}

function layerText(map: CacheMap, layer: number): string {
  const count = (values: readonly number[]): string => formatCount(values[layer] ?? 0);
  return WORDS.layer(String(layer), count(map.kept), count(map.inMemory), count(map.onDisk));
}

function mapTable({ kept, inMemory, onDisk }: CacheMap): ChartTable {
  return {
    columns: [WORDS.layerHead, WORDS.kept, WORDS.inMemory, WORDS.onDisk],
    rows: kept.map((count, layer) => [layer, count, inMemory[layer] ?? null, onDisk[layer] ?? null]),
  };
}

/** The layer pointed at. */
interface Pointed {
  readonly layer: number | undefined;
  readonly layers: number;
}

interface LaneProps extends Pointed {
  readonly parts: readonly { readonly part: MapPart; readonly path: string }[];
}

function Lane({ layer, layers, parts }: LaneProps): ReactNode {
  const step = WIDTH / Math.max(1, layers);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {parts.map(({ part, path }) => (
        <path key={part} data-part={part} d={path} />
      ))}
      {layer !== undefined && (
        <rect className={styles['mark']} x={layer * step} y={0} width={step} height={HEIGHT} />
      )}
    </svg>
  );
}

function Caption({ map, parts }: { readonly map: CacheMap; readonly parts: readonly MapPart[] }): ReactNode {
  return (
    <ul className={styles['caption']}>
      {parts.map((part) => (
        <li key={part} data-part={part} title={WORDS.hints[part]}>
          {WORDS[part]} <b>{share(map[part], allTokens(map))}</b>
        </li>
      ))}
    </ul>
  );
}

/** Two lanes over the same layers: what the compressed cache kept, and where the full one's tokens are. */
function Lanes({ map }: { readonly map: CacheMap }): ReactNode {
  const [layer, setLayer] = useState<number>();
  const layers = map.kept.length;
  const point = (event: PointerEvent<HTMLElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = Math.floor(((event.clientX - box.left) / Math.max(1, box.width)) * layers);
    setLayer(Math.min(layers - 1, Math.max(0, at)));
  };
  const { kept, inMemory, onDisk } = map;
  const tokens = allTokens(map);
  return (
    <>
      <div className={styles['map']} onPointerMove={point} onPointerLeave={() => setLayer(undefined)}>
        <Caption map={map} parts={['kept']} />
        <Lane layer={layer} layers={layers} parts={[{ part: 'kept', path: mapPath(kept, tokens) }]} />
        <Caption map={map} parts={['inMemory', 'onDisk']} />
        <Lane
          layer={layer}
          layers={layers}
          parts={[
            { part: 'inMemory', path: mapPath(inMemory, tokens) },
            { part: 'onDisk', path: mapPath(onDisk, tokens, inMemory) },
          ]}
        />
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
        <h3>
          <Help id="language.cacheMap">{WORDS.title}</Help>
        </h3>
        <span className={styles['figure']}>{WORDS.tokens(formatCount(allTokens(map)))}</span>
      </header>
      <ChartFrame title={WORDS.title} table={() => mapTable(map)} lines={[1, 2, 3]} text={formatCount}>
        <Lanes map={map} />
      </ChartFrame>
    </section>
  );
}
