import type { HeadShape } from '../../../llm';
import { DataType, type OnnxModel } from '../../../onnx';
import { SIGNED_ZERO, IntegerGraph } from './integer-graph';
import { KIVI, kiviSections, type KiviLayout } from './kivi-layout';

const LAST = Number.MAX_SAFE_INTEGER;

/**
 * Attention over packed blocks and float32 rows behind them: inputs queries, mask `[t, 1, residual rows]`, the keys
 * and values of the residual `[k, rows, d]`, then `kiviSections`. Every token sees all blocks.
 */
export function kiviGraph(layout: KiviLayout, shape: HeadShape, residualRows: number): OnnxModel {
  return new KiviRecorder(layout, shape, residualRows).record();
}

/** Numbers of a plane are not cut out of their bytes: a product with whole bytes less one with what lies above is. */
class KiviRecorder {
  private readonly graph: IntegerGraph;

  constructor(
    private readonly layout: KiviLayout,
    private readonly shape: HeadShape,
    private readonly residualRows: number,
  ) {
    this.graph = new IntegerGraph(shape);
  }

  record(): OnnxModel {
    const { graph, residualRows } = this;
    const { heads, kvHeads, headDim } = this.shape;
    const width = heads * headDim;
    const queries = graph.input('queries', ['tokens', width]);
    const mask = graph.input('mask', ['tokens', 1, residualRows]);
    const residualKeys = graph.input('residual_keys', [kvHeads, residualRows, headDim]);
    const residualValues = graph.input('residual_values', [kvHeads, residualRows, headDim]);
    const names = Object.keys(KIVI);
    const sections = kiviSections(this.layout, this.shape).map(({ dims, dtype }, place) =>
      graph.input(names[place]!, ['blocks', ...dims], DataType[dtype]),
    );
    const query = graph.add('Mul', [graph.queriesByKeyHead(queries), graph.scalar(1 / Math.sqrt(headDim))]);
    const scores = graph.add(
      'Concat',
      [
        graph.rowsOfBlocks(
          this.blockScores(
            query,
            sections[KIVI.keys]!,
            sections[KIVI.keyScales]!,
            sections[KIVI.keyMiddles]!,
          ),
        ),
        this.residualScores(query, residualKeys, mask),
      ],
      { axis: -1n },
    );
    const weights = graph.add('Softmax', [scores], { axis: -1n });
    const blockWeights = graph.blocksOfRows(this.slice(weights, 0, -residualRows, -1));
    const residualWeights = graph.reshaped(this.slice(weights, -residualRows, LAST, -1), [
      kvHeads,
      -1,
      residualRows,
    ]);
    const attended = graph.add('Add', [
      this.blockValues(
        blockWeights,
        sections[KIVI.values]!,
        sections[KIVI.valueScales]!,
        sections[KIVI.valueMiddles]!,
      ),
      graph.add('MatMul', [residualWeights, residualValues]),
    ]);
    graph.output('attended', graph.headsByToken(attended), ['tokens', width]);
    return graph.model('kivi-attention');
  }

  /** `[k, t, g, rows]`. */
  private residualScores(query: string, keys: string, mask: string): string {
    const { graph } = this;
    const { heads, kvHeads } = this.shape;
    const products = graph.add('MatMul', [query, graph.transposed(keys, [0, 2, 1])]);
    const split = graph.reshaped(products, [0, -1, heads / kvHeads, this.residualRows]);
    return graph.add('Add', [split, mask]);
  }

  /** `[b, k, r, planes, tokens of a plane]`: query x ((number - half) x scale + middle). */
  private blockScores(query: string, keys: string, scales: string, middles: string): string {
    const { graph } = this;
    const { planes, bits } = this.layout;
    const byGroup = graph.add('Unsqueeze', [query, graph.integers([1])]);
    const scaled = graph.add('Mul', [byGroup, graph.toFloat(scales)]);
    const { bytes, unit } = graph.signedBytePairs(scaled, [0, 2, 4], 3);
    const byPlane = this.parts(bytes, 2, planes).map((part) => this.squeezed(part, 2));
    // The bytes shifted by a plane meet its own query and that of the plane below, which takes them away again.
    const products = byPlane.map((own, plane) => {
      const rows = plane === 0 ? own : graph.add('Concat', [own, byPlane[plane - 1]!], { axis: 2n });
      const shifted = graph.shiftedRight(keys, bits * plane);
      const product = graph.toFloat(graph.byteProduct(rows, shifted, SIGNED_ZERO, this.halves(plane)));
      return plane === 0 ? [product] : this.parts(product, 2, 2);
    });
    const numbers = products.map(([own], plane) => {
      const above = products[plane + 1]?.[1];
      const alone = above === undefined ? own! : this.less(own!, above);
      return graph.add('Unsqueeze', [alone, graph.integers([3])]);
    });
    const together = graph.joinedPairs(graph.add('Concat', numbers, { axis: 3n }), 2);
    // [1, k, r, 1, 1] beside [b, k, r, planes, tokens].
    const rowUnit = graph.transposed(unit, [0, 1, 3, 2, 4]);
    const offsets = graph.add('MatMul', [query, graph.toFloat(middles)]);
    return graph.add('Add', [
      graph.add('Mul', [together, rowUnit]),
      graph.add('Unsqueeze', [offsets, graph.integers([4])]),
    ]);
  }

  /** `[k, r, d]`: weight x ((number - half) x scale + middle), summed over all tokens. */
  private blockValues(weights: string, values: string, scales: string, middles: string): string {
    const { graph } = this;
    const { planes, bits, valueGroups, planeChannels } = this.layout;
    const scaled = graph.add('Mul', [
      graph.add('Unsqueeze', [weights, graph.integers([2])]),
      graph.toFloat(scales),
    ]);
    const { bytes, unit } = graph.unsignedBytes(scaled, [-1]);
    const rows = graph.reshaped(bytes, [
      0,
      this.shape.kvHeads,
      -1,
      this.layout.planes * this.layout.planeTokens,
    ]);
    const sums = Array.from({ length: planes }, (_, plane) => {
      const product = graph.toFloat(
        graph.byteProduct(rows, graph.shiftedRight(values, bits * plane), 0, this.halves(plane)),
      );
      return graph.reshaped(product, [0, 0, valueGroups, -1, planeChannels]);
    });
    const units = this.parts(unit, 2, valueGroups);
    const offsets = this.parts(
      this.summedBlocks(graph.add('MatMul', [weights, graph.toFloat(middles)])),
      2,
      valueGroups,
    );
    const channels = sums.map((sum, plane) => {
      const above = sums[plane + 1];
      const alone = above === undefined ? sum : this.less(sum, above);
      const group = Math.floor((plane * valueGroups) / planes);
      const own = this.slice(alone, group, group + 1, 2);
      const byBlock = this.squeezed(graph.add('Mul', [own, units[group]!]), 2);
      return graph.add('Add', [this.summedBlocks(byBlock), offsets[group]!]);
    });
    return graph.add('Concat', channels, { axis: 2n });
  }

  /** A byte of halves in all planes, shifted: taken from bytes, it is taken from the numbers of every plane. */
  private halves(shiftedPlanes: number): number {
    const { planes, bits, half } = this.layout;
    return Array.from({ length: planes - shiftedPlanes }, (_, plane) => half * 2 ** (bits * plane)).reduce(
      (sum, part) => sum + part,
    );
  }

  /** A product with bytes, less what it holds of the planes above: those moved down by one plane, times its size. */
  private less(product: string, above: string): string {
    const { graph } = this;
    return graph.add('Sub', [product, graph.add('Mul', [above, graph.scalar(2 ** this.layout.bits)])]);
  }

  private summedBlocks(values: string): string {
    return this.graph.add('ReduceSum', [values, this.graph.integers([0])], { keepdims: 0n });
  }

  private parts(value: string, axis: number, count: number): readonly string[] {
    if (count === 1) return [value];
    return this.graph.addMany('Split', [value], count, { axis: BigInt(axis) });
  }

  private squeezed(value: string, axis: number): string {
    return this.graph.add('Squeeze', [value, this.graph.integers([axis])]);
  }

  private slice(value: string, from: number, to: number, axis: number): string {
    const { graph } = this;
    return graph.add('Slice', [value, graph.integers([from]), graph.integers([to]), graph.integers([axis])]);
  }
}
