import type { Value } from './graph-builder';
import { fixedDim } from './layer-builder';
import type { LayerBuilder } from './layer-builder';

/**
 * `[1, tokens, width]` -> `[1, heads, tokens, width / heads]`, or with `transposed`
 * `[1, heads, width / heads, tokens]` as the keys of a score product need it.
 */
export function splitHeads(b: LayerBuilder, x: Value, heads: number, transposed = false): Value {
  const split = b.reshape(x, [0, 0, heads, fixedDim(x, 2) / heads]);
  return b.transpose(split, transposed ? [0, 2, 3, 1] : [0, 2, 1, 3]);
}

/** `[1, heads, tokens, dim]` -> `[1, tokens, heads * dim]`. */
export function mergeHeads(b: LayerBuilder, x: Value): Value {
  const merged = b.transpose(x, [0, 2, 1, 3]);
  return b.reshape(merged, [0, 0, fixedDim(x, 1) * fixedDim(x, 3)]);
}

/** A two-layer perceptron with GELU between. */
export function geluMlp(b: LayerBuilder, x: Value, names: readonly [string, string], hidden: number): Value {
  const width = fixedDim(x, x.shape.length - 1);
  return b.linear(b.gelu(b.linear(x, names[0], hidden, { gain: 2 })), names[1], width);
}
