import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gaussian, seededRandom } from '../../../base';
import { Attention, type HeadShape } from '../../../llm';
import { OrtEnvironment } from '../../../ort';
import type { CompressedCache } from '../../compressor';
import { TestPass } from '../../test-support/pass';
import { observationOf, plainAttention, randomLayer, type PlainLayer } from '../../test-support/random-layer';
import { compressorNamed } from '../index';
import { BlockStore } from './block-store';
import { kiviLayout, kiviSections } from './kivi-layout';
import { KiviPacker } from './kivi-packer';

let environment: OrtEnvironment;
beforeAll(() => {
  environment = OrtEnvironment.open({ threads: 2 });
});
afterAll(() => environment.close());

const SHAPES: readonly HeadShape[] = [
  { heads: 9, kvHeads: 3, headDim: 64 },
  { heads: 4, kvHeads: 4, headDim: 32 },
  { heads: 8, kvHeads: 1, headDim: 128 },
  { heads: 6, kvHeads: 2, headDim: 20 },
];
const named = SHAPES.map((shape) => [`${shape.heads}/${shape.kvHeads} x ${shape.headDim}`, shape] as const);

function withCache<T>(
  name: string,
  shape: HeadShape,
  use: (cache: CompressedCache) => T,
  maxTokens = 900,
): T {
  const compressor = compressorNamed(name);
  const attention = new Attention(environment, shape);
  const options = { shape, layers: 1, maxTokens, ratio: compressor.fixedRatio!, environment, attention };
  const cache = compressor.createCache(options);
  try {
    return use(cache);
  } finally {
    cache.release();
    attention.release();
  }
}

/** Tokens of a layer as a pass stores them. */
function storedOf(rows: readonly number[][][], from: number, to: number): Float32Array {
  const tokens = Array.from({ length: to - from }, (_, index) => rows.map((head) => head[from + index]!));
  return Float32Array.from(tokens.flat(2));
}

function append(cache: CompressedCache, layer: PlainLayer, from: number, to: number, size: number): void {
  for (let at = from; at < to; at += size) {
    const end = Math.min(to, at + size);
    cache.store(0, 0, storedOf(layer.keys, at, end), storedOf(layer.values, at, end));
    cache.advance(end - at);
  }
}

/** What each token of a pass, the last ones stored, is given. */
function attend(
  cache: CompressedCache,
  shape: HeadShape,
  tokens: number,
): { queries: Float32Array[]; attended: Float32Array[] } {
  const random = seededRandom(5);
  const width = shape.heads * shape.headDim;
  const queries = Float32Array.from({ length: tokens * width }, () => 1.5 * gaussian(random));
  const test = new TestPass(environment, tokens, queries);
  void cache.attend(0, test.pass);
  const rows = (of: Float32Array): Float32Array[] =>
    Array.from({ length: tokens }, (_, token) => of.slice(token * width, (token + 1) * width));
  const found = { queries: rows(queries), attended: rows(test.attended) };
  test.release();
  return found;
}

function distance(found: ArrayLike<number>, expected: readonly number[]): number {
  const squares = (of: (index: number) => number): number =>
    expected.reduce((sum, _, index) => sum + of(index) ** 2, 0);
  return Math.sqrt(
    squares((index) => found[index]! - expected[index]!) / squares((index) => expected[index]!),
  );
}

const first = (rows: readonly number[][][], count: number): number[][][] =>
  rows.map((head) => head.slice(0, count));

/** The layer as a cache of few bits holds it with so many blocks packed. */
function rounded(bits: number, shape: HeadShape, layer: PlainLayer, blocks: number): PlainLayer {
  const layout = kiviLayout(bits, shape);
  const store = new BlockStore(environment, kiviSections(layout, shape), 1);
  const packer = new KiviPacker(store, layout, shape);
  const all = { keys: layer.keys.map((head) => [...head]), values: layer.values.map((head) => [...head]) };
  for (let head = 0; head < shape.kvHeads; head += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const from = block * 128;
      const part = (rows: readonly number[][][]): Float32Array =>
        Float32Array.from(rows[head]!.slice(from, from + 128).flat());
      const [keys, values] = [part(layer.keys), part(layer.values)];
      packer.pack(0, head, keys, values);
      packer.unpack(0, head, keys, values);
      for (let row = 0; row < 128; row += 1) {
        const at = row * shape.headDim;
        all.keys[head]![from + row] = [...keys.subarray(at, at + shape.headDim)];
        all.values[head]![from + row] = [...values.subarray(at, at + shape.headDim)];
      }
    }
  }
  return { ...layer, ...all };
}

describe.each(named)('heads of %s', (_name, shape) => {
  it('attend to 8-bit keys and values nearly as to floats', () => {
    const layer = randomLayer(shape, 640, 3);
    withCache('int8', shape, (cache) => {
      cache.compress(
        observationOf(0, { ...layer, keys: first(layer.keys, 500), values: first(layer.values, 500) }),
      );
      cache.restart(500);
      append(cache, layer, 500, 600, 30);
      cache.store(0, 0, storedOf(layer.keys, 600, 607), storedOf(layer.values, 600, 607));
      const { queries, attended } = attend(cache, shape, 7);
      for (const [token, found] of attended.entries()) {
        const seen = [layer.keys, layer.values].map((rows) => first(rows, 601 + token));
        // Queries and weights are rounded to 8 bits too.
        expect(distance(found, plainAttention(shape, queries[token]!, seen[0]!, seen[1]!))).toBeLessThan(
          0.04,
        );
      }
    });
  });

  it.each([4, 2])('attend to %d-bit blocks as to their numbers in floats', (bits) => {
    const layer = randomLayer(shape, 700, 4);
    withCache(`kivi${bits}`, shape, (cache) => {
      cache.compress(
        observationOf(0, { ...layer, keys: first(layer.keys, 600), values: first(layer.values, 600) }),
      );
      cache.restart(600);
      cache.store(0, 0, storedOf(layer.keys, 600, 605), storedOf(layer.values, 600, 605));
      const { queries, attended } = attend(cache, shape, 5);
      const held = rounded(bits, shape, layer, 3);
      for (const [token, found] of attended.entries()) {
        const seen = [held.keys, held.values].map((rows) => first(rows, 601 + token));
        expect(distance(found, plainAttention(shape, queries[token]!, seen[0]!, seen[1]!))).toBeLessThan(0.1);
      }
    });
  });
});

describe.each([4, 2])('a cache of %d bits', (bits) => {
  const shape = SHAPES[0]!;
  const name = `kivi${bits}`;

  it('packs what comes later as what it was made of', () => {
    const layer = randomLayer(shape, 650, 6);
    const results = [1, 64, undefined].map((size) =>
      withCache(name, shape, (cache) => {
        if (size === undefined) {
          const part = { ...layer, keys: first(layer.keys, 600), values: first(layer.values, 600) };
          cache.compress(observationOf(0, part));
          cache.restart(600);
        } else append(cache, layer, 0, 600, size);
        expect(cache.position).toBe(600);
        cache.store(0, 0, storedOf(layer.keys, 600, 601), storedOf(layer.values, 600, 601));
        return attend(cache, shape, 1).attended[0]!;
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('goes back into a block it has packed', () => {
    const layer = randomLayer(shape, 420, 8);
    withCache(name, shape, (cache) => {
      append(cache, layer, 0, 400, 50);
      cache.truncate(100);
      expect(cache.position).toBe(100);
      append(cache, layer, 100, 101, 1);
      cache.store(0, 0, storedOf(layer.keys, 101, 102), storedOf(layer.values, 101, 102));
      const { queries, attended } = attend(cache, shape, 1);
      const held = rounded(bits, shape, layer, 1);
      const seen = [held.keys, held.values].map((rows, kind) =>
        rows.map((head, index) => [
          ...head.slice(0, 100),
          ...[layer.keys, layer.values][kind]![index]!.slice(100, 102),
        ]),
      );
      expect(distance(attended[0]!, plainAttention(shape, queries[0]!, seen[0]!, seen[1]!))).toBeLessThan(
        1e-5,
      );
    });
  });

  it('holds the longest text and the rounds behind it', () => {
    const layer = randomLayer(shape, 700, 9);
    withCache(
      name,
      shape,
      (cache) => {
        append(cache, layer, 0, 500, 64);
        expect([cache.hasRoom(192), cache.hasRoom(193)]).toEqual([true, false]);
        append(cache, layer, 500, 692, 64);
        expect(cache.hasRoom(1)).toBe(false);
        expect(cache.keptTokens(0)).toBe(692);
      },
      500,
    );
  });
});
