import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

type Rgb = readonly [number, number, number];
type Theme = ReadonlyMap<string, Rgb>;

const CSS = readFileSync('renderer/styles/tokens.css', 'utf8');

function theme(name: 'light' | 'dark'): Theme {
  const block = CSS.slice(CSS.indexOf(`[data-theme='${name}'] {`)).split('}')[0] ?? '';
  return new Map(
    [...block.matchAll(/--([a-z-]+): #([0-9a-f]{6});/g)].map(([, key, hex]) => {
      const channel = (at: number): number => parseInt((hex ?? '').slice(at, at + 2), 16) / 255;
      return [key ?? '', [channel(0), channel(2), channel(4)] as const];
    }),
  );
}

const toLinear = (value: number): number =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

/** WCAG 2.2 contrast ratio. */
function contrast(a: Rgb, b: Rgb): number {
  const luminance = ([r, g, bl]: Rgb): number =>
    0.2126 * toLinear(r) + 0.7152 * toLinear(g) + 0.0722 * toLinear(bl);
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Full dichromacy after Machado, Oliveira and Fernandes 2009 (doi 10.1109/TVCG.2009.113), on linear RGB. */
const VISION: Readonly<Record<string, readonly [Rgb, Rgb, Rgb]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** Oklab coordinates of linear RGB (Ottosson 2020). */
function oklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function seen(color: Rgb, vision: string): Rgb {
  const linear = color.map(toLinear);
  const rows = VISION[vision] ?? [];
  const mixed = rows.map((row) => row.reduce((sum, weight, index) => sum + weight * (linear[index] ?? 0), 0));
  return oklab(mixed.map((value) => Math.min(1, Math.max(0, value))) as unknown as Rgb);
}

function distance(a: Rgb, b: Rgb, vision: string): number {
  const [first, second] = [seen(a, vision), seen(b, vision)];
  return Math.hypot(...first.map((value, index) => value - (second[index] ?? 0)));
}

/** Colours that meet in one picture and must stay apart there. */
const TOGETHER = [
  ['read', 'wait', 'compute'],
  ['read', 'resident'],
  ['draft', 'verify', 'rejected'],
  // Rounds; by layer what is compressed, in memory, on disk; who holds the caches' memory.
  ['draft', 'wait', 'verify'],
  ['draft', 'resident', 'ssd'],
  ['draft', 'resident', 'read'],
  // Time lost is hatched, too.
  ['send', 'wait', 'compute', 'receive'],
  ['gpu', 'ssd'],
] as const;

describe.each(['light', 'dark'] as const)('%s theme', (name) => {
  const colors = theme(name);
  const color = (key: string): Rgb => {
    const found = colors.get(key);
    if (found === undefined) throw new Error(`tokens.css has no --${key} in the ${name} theme`);
    return found;
  };

  it.each(['text', 'text-muted', 'accent', 'failure', 'degraded'])(
    '%s is readable on every ground',
    (key) => {
      for (const ground of ['bg', 'surface', 'raised']) {
        expect(contrast(color(key), color(ground)), `${key} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it.each([
    ['accent-text', 'accent'],
    ['failure', 'failure-soft'],
    ['degraded', 'degraded-soft'],
    ['text', 'accent-soft'],
    ['text-muted', 'hover'],
    ['text-muted', 'accent-soft'],
  ])('%s is readable on %s', (text, ground) => {
    expect(contrast(color(text), color(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each([...new Set(TOGETHER.flat()), 'border-strong'])('%s stands out from the surface', (key) => {
    expect(contrast(color(key), color('surface'))).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.keys(VISION))('colours that meet stay apart in %s vision', (vision) => {
    for (const group of TOGETHER) {
      for (const [index, first] of group.entries()) {
        for (const second of group.slice(index + 1)) {
          const apart = distance(color(first), color(second), vision);
          expect(apart, `${first} and ${second}`).toBeGreaterThanOrEqual(0.1);
        }
      }
    }
  });
});
