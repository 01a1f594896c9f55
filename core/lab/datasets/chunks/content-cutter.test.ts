import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../../base';
import { CHUNK_SIZES, ContentCutter } from './content-cutter';

const SMALL = { minBytes: 64, averageBytes: 256, maxBytes: 1024 };

function randomBytes(byteLength: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Uint32Array.from({ length: byteLength / 4 }, () => random() * 2 ** 32).buffer);
}

function lengthsOf(bytes: Uint8Array, cutter: ContentCutter): number[] {
  const lengths: number[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = cutter.cut(bytes, from, bytes.length);
    lengths.push(end - from);
    from = end;
  }
  return lengths;
}

function hashesOf(bytes: Buffer, cutter: ContentCutter): string[] {
  let from = 0;
  return lengthsOf(bytes, cutter).map((length) => {
    const chunk = bytes.subarray(from, from + length);
    from += length;
    return createHash('sha256').update(chunk).digest('hex');
  });
}

describe('ContentCutter', () => {
  it('cuts all of a content in chunks of lengths between the limits', () => {
    const cutter = new ContentCutter(SMALL);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        const lengths = lengthsOf(bytes, cutter);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(bytes.length);
        for (const length of lengths) expect(length).toBeLessThanOrEqual(SMALL.maxBytes);
        for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(SMALL.minBytes);
      }),
    );
  });

  it('finds the same cuts however much follows', () => {
    const cutter = new ContentCutter(SMALL);
    const bytes = randomBytes(40_000, 1);
    const lengths = lengthsOf(bytes, cutter);
    const cutAlone = lengths.map((_, at) => {
      const from = lengths.slice(0, at).reduce((sum, length) => sum + length, 0);
      return cutter.cut(bytes, from, Math.min(bytes.length, from + SMALL.maxBytes)) - from;
    });
    expect(cutAlone).toEqual(lengths);
  });

  it('keeps the chunks before and behind an edit', () => {
    const cutter = new ContentCutter(SMALL);
    const edit = fc.record({ at: fc.nat(29_999), cutOut: fc.nat(50), put: fc.uint8Array({ maxLength: 50 }) });
    fc.assert(
      fc.property(fc.integer(), edit, (seed, { at, cutOut, put }) => {
        const before = randomBytes(30_000, seed);
        const after = Buffer.concat([before.subarray(0, at), put, before.subarray(at + cutOut)]);
        const known = new Set(hashesOf(before, cutter));
        const fresh = hashesOf(after, cutter).filter((hash) => !known.has(hash));
        // Of more than 100 chunks: the one of the edit and those until the cuts meet again.
        expect(fresh.length).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('cuts where it always did: other cuts would share nothing with what is stored', () => {
    const cutter = new ContentCutter();
    expect(lengthsOf(randomBytes(2 ** 24, 5), cutter)).toMatchInlineSnapshot(`
      [
        1144010,
        580380,
        1536751,
        1899807,
        1335047,
        1767348,
        1090587,
        1269161,
        1153125,
        1302887,
        839667,
        1089146,
        1092641,
        374843,
        301816,
      ]
    `);
  });

  it('moves one cut when a byte is put in front', () => {
    const cutter = new ContentCutter();
    const before = randomBytes(2 ** 24, 6);
    const known = new Set(hashesOf(before, cutter));
    const after = hashesOf(Buffer.concat([Buffer.from([1]), before]), cutter);
    expect(after.filter((hash) => !known.has(hash))).toHaveLength(1);
  });

  it('cuts a content without variety at the longest', () => {
    const lengths = lengthsOf(Buffer.alloc(2 ** 23), new ContentCutter());
    expect(lengths).toEqual([CHUNK_SIZES.maxBytes, CHUNK_SIZES.maxBytes]);
  });
});
