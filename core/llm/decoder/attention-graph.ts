import type { OnnxModel } from '../../onnx';
import { CACHE_STEP_ROWS } from './cache-step';
import type { DecoderConfig } from './config';
import { GraphRecorder, MICROSOFT } from './graph-recorder';

export type HeadShape = Pick<DecoderConfig, 'heads' | 'kvHeads' | 'headDim'>;

/** Names of inputs and outputs. */
export const ATTENTION_NAMES = {
  queries: 'queries',
  mask: 'mask',
  cachedKeys: (head: number): string => `cached_keys_${head}`,
  cachedValues: (head: number): string => `cached_values_${head}`,
  attended: 'attended',
  received: 'received',
} as const;

/**
 * Attention of `queries [tokens, heads * headDim]` over one `[cached, headDim]` of keys and of values a key head.
 * `mask [tokens, 1, cached]` is added to scores: 0, or -Infinity. Spelled out by key head: unlike ONNX Runtime's fused
 * operators it gives a token the same bits whatever tokens are beside it.
 *
 * Out come `attended [tokens, heads * headDim]` and, when observed, `received [kvHeads, cached]`: the attention that
 * each cached row got, summed over the pass's queries.
 */
export function attentionGraph(shape: HeadShape, options: { readonly observed: boolean }): OnnxModel {
  return new AttentionRecorder(shape).record(options.observed);
}

class AttentionRecorder {
  private readonly graph = new GraphRecorder();
  private readonly received: string[] = [];

  constructor(private readonly shape: HeadShape) {}

  record(observed: boolean): OnnxModel {
    const { graph } = this;
    const { heads, kvHeads, headDim } = this.shape;
    const names = ATTENTION_NAMES;
    const queries = graph.input(names.queries, ['tokens', heads * headDim]);
    const mask = graph.input(names.mask, ['tokens', 1, 'cached']);
    const groups = kvHeads === 1 ? [queries] : graph.addMany('Split', [queries], kvHeads, { axis: -1n });
    const attended = groups.map((group, head) => {
      const keys = graph.input(names.cachedKeys(head), ['cached', headDim]);
      const values = graph.input(names.cachedValues(head), ['cached', headDim]);
      return this.attendGroup(group, keys, values, mask, observed);
    });
    graph.output(names.attended, this.joined(attended, -1n), ['tokens', heads * headDim]);
    if (observed) graph.output(names.received, this.joined(this.received, 0n), [kvHeads, 'cached']);
    return graph.model('attention');
  }

  private joined(parts: readonly string[], axis: bigint): string {
    return parts.length === 1 ? parts[0]! : this.graph.add('Concat', parts, { axis });
  }

  /** The queries that share a key head, `[tokens, group * headDim]`. */
  private attendGroup(
    queries: string,
    keys: string,
    values: string,
    mask: string,
    observed: boolean,
  ): string {
    const { graph } = this;
    const { heads, kvHeads, headDim } = this.shape;
    const alone = heads === kvHeads;
    const pairs = alone ? 2 : heads / kvHeads;
    // A product of one row takes another kernel, with other bits: a query without company is computed twice.
    const pair = alone ? graph.add('Concat', [queries, queries], { axis: -1n }) : queries;
    const rows = graph.add('Reshape', [pair, graph.integers([-1, headDim])]);
    // Keys times queries: the second operand is copied by ONNX Runtime, and keys are many where queries are few.
    const byKey = graph.add(
      'FusedMatMul',
      [keys, rows],
      { transB: 1n, alpha: 1 / Math.sqrt(headDim) },
      MICROSOFT,
    );
    const parted = graph.add('Reshape', [byKey, graph.integers([0, -1, pairs])]);
    const scores = graph.add('Transpose', [parted], { perm: [1n, 2n, 0n] });
    const weights = graph.add('Softmax', [graph.add('Add', [scores, mask])], { axis: -1n });
    if (observed) {
      const sums = graph.add('ReduceSum', [weights, graph.integers([0, 1])], { keepdims: 0n });
      this.received.push(graph.add('Unsqueeze', [sums, graph.integers([0])]));
    }
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
    const blocks = graph.add('Reshape', [values, graph.integers([-1, CACHE_STEP_ROWS, this.shape.headDim])]);
    const sums = graph.add('MatMul', [rows, blocks]);
    return graph.add('ReduceSum', [sums, graph.integers([0])], { keepdims: 0n });
  }
}
