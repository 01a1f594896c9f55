import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  formatBytes,
  formatBytesOf,
  formatCount,
  formatEta,
  formatFigure,
  formatMs,
  formatPct,
  formatRate,
  formatShape,
  formatTicks,
  NO_FIGURE,
  parseSize,
} from './format';

/** Thin spaces written as plain ones, for reading. */
const plain = (text: string): string => text.replaceAll('\u2009', ' ');

describe('formatters', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [102.4 * 2 ** 20, '102 MiB'],
    [318 * 2 ** 20, '318 MiB'],
    [1.25 * 2 ** 30, '1.3 GiB'],
    [Number.NaN, NO_FIGURE],
  ])('bytes %d', (bytes, text) => expect(plain(formatBytes(bytes))).toBe(text));

  it('a part in the unit of the whole', () => {
    expect(plain(formatBytesOf(0.5 * 2 ** 30, 3.8 * 2 ** 30))).toBe('0.5/3.8 GiB');
    expect(formatBytesOf(Number.NaN, 1)).toBe(NO_FIGURE);
  });

  it.each([
    [0.4242, '0.42 ms'],
    [8.31, '8.31 ms'],
    [46.04, '46.0 ms'],
    [104.4, '104 ms'],
    [2410, '2.41 s'],
    [25_000, '25.0 s'],
    [Number.NaN, NO_FIGURE],
  ])('milliseconds %d', (ms, text) => expect(plain(formatMs(ms))).toBe(text));

  it.each([
    [8.31, '8.3'],
    [-104.26, '−104.3'],
    [999.94, '999.9'],
    [-1240.4, '−1 240.4'],
    [undefined, NO_FIGURE],
  ])('figures of a column %d', (value, text) => expect(plain(formatFigure(value))).toBe(text));

  it.each([
    [[0, 250, 500], '0 250 500'],
    [[0, 500, 1000], '0 500 1 000'],
    [[0, 2.5, 5], '0.0 2.5 5.0'],
    [[0.1, 0.1 + 0.2], '0.1 0.3'],
    [[0, 0.05, 0.1], '0.00 0.05 0.10'],
    [[-100, -50, -0], '−100 −50 0'],
    [[], ''],
  ])('ticks %j', (values, text) => expect(plain(formatTicks(values).join(' '))).toBe(text));

  it.each([
    [912e6, '912 MB/s'],
    [1.26e9, '1.26 GB/s'],
    [4_100, '4 kB/s'],
    [12, '12 B/s'],
  ])('rate %d', (rate, text) => expect(plain(formatRate(rate))).toBe(text));

  it.each([
    [3.2, '4 s'],
    [65, '1 min 05 s'],
    [3_780, '1 h 03 min'],
    [Infinity, NO_FIGURE],
  ])('time left %d s', (seconds, text) => expect(plain(formatEta(seconds))).toBe(text));

  it('counts, shares and shapes', () => {
    expect(plain(formatCount(1234567))).toBe('1 234 567');
    expect(formatPct(41.4)).toBe('41%');
    expect(formatShape([-1, 3, 224, 224])).toBe('?×3×224×224');
    expect(formatShape([])).toBe('scalar');
  });
});

describe('parseSize', () => {
  it.each([
    ['64 MiB', 64 * 2 ** 20],
    ['64', 64 * 2 ** 20],
    ['1.5GB', 1.5e9],
    ['1,5 gib', 1.5 * 2 ** 30],
    ['512b', 512],
    ['12%', 120],
  ])('reads %j', (text, bytes) => expect(parseSize(text, 1000)).toBe(bytes));

  it.each(['', 'lots', '-4 MiB', '4 parsecs', '1e9', '%'])('refuses %j', (text) => {
    expect(parseSize(text, 1000)).toBeUndefined();
  });

  it('reads back what formatBytes wrote, to its precision', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 2 ** 42 }), (bytes) => {
        const back = parseSize(formatBytes(bytes)) ?? Number.NaN;
        expect(Math.abs(back - bytes) / bytes).toBeLessThan(0.06);
      }),
    );
  });
});
