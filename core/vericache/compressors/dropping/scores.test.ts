import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gaussian, seededRandom } from '../../../base';
import { Attention, type HeadShape } from '../../../llm';
import { OrtEnvironment } from '../../../ort';
import { TestPass } from '../../test-support/pass';
import { observationOf, plainAttention, randomLayer, type PlainLayer } from '../../test-support/random-layer';
import { compressorNamed } from '../index';

const SHAPE: HeadShape = { heads: 6, kvHeads: 2, headDim: 16 };
const TOKENS = 500;
/** Of 768 rows 320 are room. */
const OPTIONS = { shape: SHAPE, layers: 2, maxTokens: 1600, ratio: 2.05 };
const KEPT = 448;

let environment: OrtEnvironment;
let attention: Attention;
beforeAll(() => {
  environment = OrtEnvironment.open({ threads: 2 });
  attention = new Attention(environment, SHAPE);
});
afterAll(() => {
  attention.release();
  environment.close();
});

const norm = (vector: readonly number[]): number =>
  Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0));
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0);

/** Each paper's formula in plain arithmetic: scores of all tokens of a head. */
const FORMULAS: Readonly<Record<string, (layer: PlainLayer, head: number) => number[]>> = {
  streamingllm: ({ keys }, head) => keys[head]!.map((_, token) => token),
  knorm: ({ keys }, head) => keys[head]!.map((key) => -norm(key)),
  keydiff: ({ keys }, head) => {
    const units = keys[head]!.map((key) => key.map((value) => value / norm(key)));
    const mean = units[0]!.map((_, at) => units.reduce((sum, unit) => sum + unit[at]!, 0) / units.length);
    return keys[head]!.map((key) => -dot(key, mean) / norm(key) / norm(mean));
  },
  snapkv: ({ received }, head) => {
    const before = received[head]!.slice(0, -32);
    const at = (token: number): number => before[token] ?? 0;
    return received[head]!.map((_, token) =>
      token < before.length
        ? (at(token - 2) + at(token - 1) + at(token) + at(token + 1) + at(token + 2)) / 5
        : Infinity,
    );
  },
  h2o: ({ received }, head) => received[head]!,
};
/** Tokens that stay whatever their score. */
const RECENT: Readonly<Record<string, number>> = { h2o: KEPT / 2 };

function expectedTokens(name: string, layer: PlainLayer, head: number): number[] {
  const scores = FORMULAS[name]!(layer, head);
  const recent = RECENT[name] ?? 32;
  const forced = scores.map((_, token) => token < 4 || token >= TOKENS - recent);
  const rest = scores.map((_, token) => token).filter((token) => !forced[token]);
  rest.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const chosen = new Set(rest.slice(0, KEPT - 4 - recent));
  return scores.map((_, token) => token).filter((token) => forced[token] || chosen.has(token));
}

describe('what attention sees after', () => {
  it.each(Object.keys(FORMULAS))('%s is what the formula keeps', (name) => {
    const layer = randomLayer(SHAPE, TOKENS, 7);
    const cache = compressorNamed(name).createCache({ ...OPTIONS, environment, attention });
    for (const index of [0, 1]) cache.compress(observationOf(index, layer));
    cache.restart(TOKENS);
    expect([cache.keptTokens(0), cache.keptTokens(1)]).toEqual([KEPT, KEPT]);

    const random = seededRandom(3);
    const width = SHAPE.kvHeads * SHAPE.headDim;
    const vector = (length: number): Float32Array => Float32Array.from({ length }, () => gaussian(random));
    const [key, value] = [vector(width), vector(width)];
    const queries = vector(SHAPE.heads * SHAPE.headDim);
    const test = new TestPass(environment, 1, queries);
    cache.store(1, 0, key, value);
    void cache.attend(1, test.pass);
    const seen = (of: number[][][], last: Float32Array): number[][][] =>
      of.map((rows, head) => [
        ...expectedTokens(name, layer, head).map((token) => rows[token]!),
        [...last.subarray(head * SHAPE.headDim, (head + 1) * SHAPE.headDim)],
      ]);
    const expected = plainAttention(SHAPE, queries, seen(layer.keys, key), seen(layer.values, value));
    const distance = Math.max(...expected.map((x, at) => Math.abs(x - test.attended[at]!)));
    expect(distance).toBeLessThan(1e-5);
    test.release();
    cache.release();
  });
});

it('a pyramid keeps more of the first layer than of the last', () => {
  const pyramid = compressorNamed('pyramidkv').createCache({
    ...OPTIONS,
    layers: 4,
    maxTokens: 4096,
    environment,
    attention,
  });
  const layer = randomLayer(SHAPE, 3000, 9);
  for (let index = 0; index < 4; index += 1) pyramid.compress(observationOf(index, layer));
  pyramid.restart(3000);
  const kept = [0, 1, 2, 3].map((index) => pyramid.keptTokens(index));
  expect(kept).toEqual(kept.toSorted((a, b) => b - a));
  expect(kept[0]! - kept[3]!).toBeGreaterThan(1500);
  pyramid.release();
});
