import { gaussian, seededRandom } from '../../base';
import type { HeadShape } from '../../llm';
import type { LayerObservation } from '../compressor';

/** Keys, values and attention as numbers in nested arrays: `[head][token][channel]`. */
export interface PlainLayer {
  readonly keys: number[][][];
  readonly values: number[][][];
  readonly received: number[][];
}

/** A layer with a channel of large keys, as trained models have them. */
export function randomLayer(shape: HeadShape, tokens: number, seed: number): PlainLayer {
  const random = seededRandom(seed);
  const heads = <T>(make: () => T): T[] => Array.from({ length: shape.kvHeads }, make);
  const floats = (count: number, scaleOf: (index: number) => number): number[] =>
    Array.from({ length: count }, (_, index) => Math.fround(gaussian(random) * scaleOf(index)));
  const matrix = (scaleOf: (channel: number) => number): number[][] =>
    Array.from({ length: tokens }, () => floats(shape.headDim, scaleOf));
  return {
    keys: heads(() => matrix((channel) => (channel === 3 ? 6 : 1))),
    values: heads(() => matrix(() => 1)),
    received: heads(() => floats(tokens, () => 1).map(Math.abs)),
  };
}

export function observationOf(layer: number, { keys, values, received }: PlainLayer): LayerObservation {
  return {
    layer,
    tokens: keys[0]!.length,
    keys: (head) => Float32Array.from(keys[head]!.flat()),
    values: (head) => Float32Array.from(values[head]!.flat()),
    received: (head) => Float32Array.from(received[head]!),
  };
}

/** Attention of one token's queries `[heads * headDim]` over the rows of each key head, in plain arithmetic. */
export function plainAttention(
  shape: HeadShape,
  queries: ArrayLike<number>,
  keys: readonly number[][][],
  values: readonly number[][][],
): number[] {
  const { heads, kvHeads, headDim } = shape;
  return Array.from({ length: heads }, (_, head) => {
    const group = Math.floor((head * kvHeads) / heads);
    const query = Array.from({ length: headDim }, (_, channel) => queries[head * headDim + channel]!);
    const scores = keys[group]!.map(
      (key) => key.reduce((sum, value, channel) => sum + value * query[channel]!, 0) / Math.sqrt(headDim),
    );
    const top = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - top));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return query.map(
      (_, channel) =>
        weights.reduce((sum, weight, row) => sum + weight * values[group]![row]![channel]!, 0) / total,
    );
  }).flat();
}
