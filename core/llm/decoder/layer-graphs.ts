import type { OnnxModel } from '../../onnx';
import type { DecoderConfig } from './config';
import { GraphRecorder, MICROSOFT } from './graph-recorder';
import type { AttentionWeights, FeedForwardWeights, HeadWeights } from './layer-weights';
import { Projector, type WeightPrecision } from './projections';

/**
 * A decoder runs as a chain of graphs that are cut around attention, so that whoever runs them decides what a layer
 * attends to and how:
 *
 *     first: x -> queries, keys, values of layer 0
 *     between: x, attended of layer i -> x, then queries, keys, values of layer i + 1
 *     last: x, attended of the last layer -> x
 *     head: x -> logits
 *
 * `x` is `[tokens, width]`, queries and attended `[tokens, heads * headDim]`, keys and values
 * `[tokens, kvHeads * headDim]`.
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
  keys: 'keys',
  values: 'values',
  cosines: 'cosines',
  sines: 'sines',
  attended: 'attended',
  logits: 'logits',
} as const;

export function firstGraph(weights: AttentionWeights, options: LayerGraphOptions): OnnxModel {
  const layer = new LayerRecorder(options);
  const x = layer.graph.input(NAMES.x, ['tokens', options.config.width]);
  layer.attentionInputs(layer.norm(x, weights.norm), weights);
  return layer.graph.model('first');
}

export function betweenGraph(
  weights: FeedForwardWeights,
  next: AttentionWeights,
  options: LayerGraphOptions,
): OnnxModel {
  const layer = new LayerRecorder(options);
  const { normed, sum } = layer.normOfSum(...layer.rest(weights), next.norm);
  layer.graph.output(NAMES.nextX, sum, ['tokens', options.config.width]);
  layer.attentionInputs(normed, next);
  return layer.graph.model('between');
}

export function lastGraph(weights: FeedForwardWeights, options: LayerGraphOptions): OnnxModel {
  const layer = new LayerRecorder(options);
  const next = layer.graph.add('Add', layer.rest(weights));
  layer.graph.output(NAMES.nextX, next, ['tokens', options.config.width]);
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

  /** The norm of a sum, and the sum. */
  normOfSum(
    x: string,
    added: string,
    scale: Float32Array,
  ): { readonly normed: string; readonly sum: string } {
    const { graph, config } = this;
    const [normed, , , sum] = graph.addMany(
      'SkipSimplifiedLayerNormalization',
      [x, added, graph.constant([scale.length], scale)],
      4,
      { epsilon: config.rmsEpsilon },
      MICROSOFT,
    );
    return { normed: normed!, sum: sum! };
  }

  /** @param normed what is projected, `[tokens, width]`. */
  attentionInputs(normed: string, weights: AttentionWeights): void {
    const { graph, config } = this;
    const { heads, kvHeads, headDim } = config;
    const cosines = graph.input(NAMES.cosines, ['tokens', config.rope.dim / 2]);
    const sines = graph.input(NAMES.sines, ['tokens', config.rope.dim / 2]);
    const projected = this.projector.project(normed, weights.projections);
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
    graph.output(NAMES.queries, rotated[0]!, ['tokens', heads * headDim]);
    graph.output(NAMES.keys, rotated[1]!, ['tokens', kvHeads * headDim]);
    graph.output(NAMES.values, values!, ['tokens', kvHeads * headDim]);
  }

  /** What follows attention, up to the sum that is the next x. @returns both parts of the sum. */
  rest(weights: FeedForwardWeights): readonly [middle: string, down: string] {
    const { graph, config } = this;
    const { width, heads, headDim } = config;
    const x = graph.input(NAMES.x, ['tokens', width]);
    const attended = graph.input(NAMES.attended, ['tokens', heads * headDim]);
    const [projected] = this.projector.project(attended, [weights.attentionOutput]);
    const { normed, sum } = this.normOfSum(x, projected!, weights.norm);
    const [gate, up] = this.projector.project(normed, weights.projections);
    const gated = graph.add('Mul', [graph.add('Mul', [gate!, graph.add('Sigmoid', [gate!])]), up!]);
    const [down] = this.projector.project(gated, [weights.down]);
    return [sum, down!];
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
