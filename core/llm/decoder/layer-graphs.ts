import type { OnnxModel } from '../../onnx';
import { CACHE_STEP_ROWS } from './cache-step';
import type { DecoderConfig } from './config';
import { GraphRecorder, MICROSOFT } from './graph-recorder';
import type { AttentionWeights, FeedForwardWeights, HeadWeights } from './layer-weights';
import { Projector, type WeightPrecision } from './projections';

/**
 * A decoder runs as a chain of graphs that are cut where keys and values enter and leave, so that whoever runs them
 * decides which cache a layer attends to:
 *
 *     first: x -> queries, keys, values of layer 0
 *     between: cached keys and values of layer i, queries -> x, then queries, keys, values of layer i + 1
 *     last: cached keys and values of the last layer, queries -> x
 *     head: x -> logits
 *
 * `x` is `[tokens, width]`, queries `[tokens, heads * headDim]`, keys and values `[tokens, kvHeads * headDim]`; a
 * cache is one `[cached, headDim]` a key head; `mask` `[tokens, 1, cached]` is added to scores: 0, or -Infinity.
 * Attention is spelled out by key head: unlike ONNX Runtime's fused operators it gives a token the same bits whatever
 * tokens are beside it.
 */
export interface LayerGraphOptions {
  readonly config: DecoderConfig;
  readonly precision: WeightPrecision;
}

/** Names of graph inputs and outputs. */
export const NAMES = {
  x: 'x',
  nextX: 'next_x',
  queries: 'queries',
  nextQueries: 'next_queries',
  keys: 'keys',
  values: 'values',
  cosines: 'cosines',
  sines: 'sines',
  mask: 'mask',
  logits: 'logits',
  cachedKeys: (head: number): string => `cached_keys_${head}`,
  cachedValues: (head: number): string => `cached_values_${head}`,
} as const;

export function firstGraph(weights: AttentionWeights, options: LayerGraphOptions): OnnxModel {
  const layer = new LayerRecorder(options);
  const x = layer.graph.input(NAMES.x, ['tokens', options.config.width]);
  layer.attentionInputs(x, weights, NAMES.queries);
  return layer.graph.model('first');
}

export function betweenGraph(
  weights: FeedForwardWeights,
  next: AttentionWeights,
  options: LayerGraphOptions,
): OnnxModel {
  const layer = new LayerRecorder(options);
  const x = layer.rest(weights);
  layer.attentionInputs(x, next, NAMES.nextQueries);
  return layer.graph.model('between');
}

export function lastGraph(weights: FeedForwardWeights, options: LayerGraphOptions): OnnxModel {
  const layer = new LayerRecorder(options);
  layer.rest(weights);
  return layer.graph.model('last');
}

export function headGraph(weights: HeadWeights, options: LayerGraphOptions): OnnxModel {
  const layer = new LayerRecorder(options);
  const { width, vocabularySize } = options.config;
  const x = layer.graph.input(NAMES.x, ['tokens', width]);
  const [logits] = layer.projector.project(layer.norm(x, weights.norm), [weights.projection]);
  layer.graph.output(NAMES.logits, logits!, ['tokens', vocabularySize]);
  return layer.graph.model('head');
}

class LayerRecorder {
  readonly graph = new GraphRecorder();
  readonly projector: Projector;
  private readonly config: DecoderConfig;

  constructor({ config, precision }: LayerGraphOptions) {
    this.config = config;
    this.projector = new Projector(this.graph, precision);
  }

  /** RMSNorm (Zhang and Sennrich 2019) over the last axis. */
  norm(x: string, scale: Float32Array): string {
    const { graph, config } = this;
    return graph.add('SimplifiedLayerNormalization', [x, graph.constant([scale.length], scale)], {
      axis: -1n,
      epsilon: config.rmsEpsilon,
      stash_type: 1n,
    });
  }

  attentionInputs(x: string, weights: AttentionWeights, queriesName: string): void {
    const { graph, config } = this;
    const { heads, kvHeads, headDim } = config;
    const cosines = graph.input(NAMES.cosines, ['tokens', config.rope.dim / 2]);
    const sines = graph.input(NAMES.sines, ['tokens', config.rope.dim / 2]);
    const projected = this.projector.project(this.norm(x, weights.norm), weights.projections);
    const [queries, keys, values] = projected.map((value, index) => {
      const bias = weights.biases[index];
      return bias ? graph.add('Add', [value, graph.constant([bias.length], bias)]) : value;
    });
    const rotated = [queries!, keys!].map((value, index) =>
      this.rotate(this.headNorm(value, weights.headNorms[index]), index === 0 ? heads : kvHeads, [
        cosines,
        sines,
      ]),
    );
    graph.output(queriesName, rotated[0]!, ['tokens', heads * headDim]);
    graph.output(NAMES.keys, rotated[1]!, ['tokens', kvHeads * headDim]);
    graph.output(NAMES.values, values!, ['tokens', kvHeads * headDim]);
  }

  /** Attention over the caches, then the feed-forward part. @returns the next x, also an output. */
  rest(weights: FeedForwardWeights): string {
    const { graph, config } = this;
    const x = graph.input(NAMES.x, ['tokens', config.width]);
    const [attended] = this.projector.project(this.attention(), [weights.attentionOutput]);
    const middle = graph.add('Add', [x, attended!]);
    const [gate, up] = this.projector.project(this.norm(middle, weights.norm), weights.projections);
    const gated = graph.add('Mul', [graph.add('Mul', [gate!, graph.add('Sigmoid', [gate!])]), up!]);
    const [down] = this.projector.project(gated, [weights.down]);
    const next = graph.add('Add', [middle, down!]);
    graph.output(NAMES.nextX, next, ['tokens', config.width]);
    return next;
  }

  /** @returns `[tokens, heads * headDim]`. */
  private attention(): string {
    const { graph, config } = this;
    const { heads, kvHeads, headDim } = config;
    const queries = graph.input(NAMES.queries, ['tokens', heads * headDim]);
    const mask = graph.input(NAMES.mask, ['tokens', 1, 'cached']);
    const groups = kvHeads === 1 ? [queries] : graph.addMany('Split', [queries], kvHeads, { axis: -1n });
    const attended = groups.map((group, head) => {
      const keys = graph.input(NAMES.cachedKeys(head), ['cached', headDim]);
      const values = graph.input(NAMES.cachedValues(head), ['cached', headDim]);
      return this.attendGroup(group, keys, values, mask);
    });
    return kvHeads === 1 ? attended[0]! : graph.add('Concat', attended, { axis: -1n });
  }

  /** The queries that share a key head, `[tokens, group * headDim]`. */
  private attendGroup(queries: string, keys: string, values: string, mask: string): string {
    const { graph, config } = this;
    const { heads, kvHeads, headDim } = config;
    const alone = heads === kvHeads;
    const pairs = alone ? 2 : heads / kvHeads;
    // A product of one row takes another kernel, with other bits: a query without company is computed twice.
    const pair = alone ? graph.add('Concat', [queries, queries], { axis: -1n }) : queries;
    const rows = graph.add('Reshape', [pair, graph.integers([0, pairs, headDim])]);
    const scores = graph.add(
      'FusedMatMul',
      [rows, keys],
      { transB: 1n, alpha: 1 / Math.sqrt(headDim) },
      MICROSOFT,
    );
    const weights = graph.add('Softmax', [graph.add('Add', [scores, mask])], { axis: -1n });
    const attended = graph.add('Reshape', [
      this.weightedSum(weights, values),
      graph.integers([-1, pairs * headDim]),
    ]);
    return alone ? graph.addMany('Split', [attended], 2, { axis: -1n })[0]! : attended;
  }

  /**
   * `weights [tokens, group, cached]` times `values [cached, headDim]`, block by block of the cache. A product over a
   * longer axis is cut by ONNX Runtime where threads and rows suggest, and every cut changes the order of the sum.
   * @returns `[tokens * group, headDim]`.
   */
  private weightedSum(weights: string, values: string): string {
    const { graph } = this;
    const cut = graph.add('Reshape', [weights, graph.integers([0, 0, -1, CACHE_STEP_ROWS])]);
    const byBlock = graph.add('Transpose', [cut], { perm: [2n, 0n, 1n, 3n] });
    const rows = graph.add('Reshape', [byBlock, graph.integers([0, -1, CACHE_STEP_ROWS])]);
    const blocks = graph.add('Reshape', [values, graph.integers([-1, CACHE_STEP_ROWS, this.config.headDim])]);
    const sums = graph.add('MatMul', [rows, blocks]);
    return graph.add('ReduceSum', [sums, graph.integers([0])], { keepdims: 0n });
  }

  private headNorm(x: string, scale: Float32Array | undefined): string {
    if (!scale) return x;
    const { graph } = this;
    const byHead = graph.add('Reshape', [x, graph.integers([0, -1, this.config.headDim])]);
    return graph.add('Reshape', [this.norm(byHead, scale), graph.integers([0, -1])]);
  }

  /** The angles come row by row with the tokens, so that the operator's own positions are 0, 1, 2, ... */
  private rotate(x: string, heads: number, angles: readonly string[]): string {
    const { graph, config } = this;
    const { rope, headDim } = config;
    const partial = rope.dim < headDim ? { rotary_embedding_dim: BigInt(rope.dim) } : {};
    const batch = graph.add('Unsqueeze', [x, graph.integers([0])]);
    const rotated = graph.add(
      'RotaryEmbedding',
      [batch, graph.integers([0]), ...angles],
      { interleaved: rope.interleaved ? 1n : 0n, num_heads: BigInt(heads), ...partial },
      MICROSOFT,
    );
    return graph.add('Squeeze', [rotated, graph.integers([0])]);
  }
}
