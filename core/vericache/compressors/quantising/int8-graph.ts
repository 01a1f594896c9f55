import type { HeadShape } from '../../../llm';
import { DataType, type OnnxModel } from '../../../onnx';
import { QUANTISED_BLOCK, type Section } from './block-store';
import { IntegerGraph, SIGNED_ZERO } from './integer-graph';

/** Places of the sections of `int8Sections`. */
export const INT8 = { keys: 0, values: 1, keyScales: 2, valueScales: 3, channelScales: 4 } as const;

/**
 * Keys `[b, k, d, 128]` and values `[b, k, 128, d]` as bytes around 128. A key's element is (byte - 128) x the scale
 * of its token x the scale of its channel; a value's is (byte - 128) x the scale of its token.
 */
export function int8Sections({ kvHeads, headDim }: HeadShape): readonly Section[] {
  return [
    { dtype: 'uint8', dims: [kvHeads, headDim, QUANTISED_BLOCK] },
    { dtype: 'uint8', dims: [kvHeads, QUANTISED_BLOCK, headDim] },
    { dtype: 'float32', dims: [kvHeads, 1, QUANTISED_BLOCK] },
    { dtype: 'float32', dims: [kvHeads, 1, QUANTISED_BLOCK] },
    { dtype: 'float32', dims: [kvHeads, 1, headDim], shared: true },
  ];
}

/**
 * Attention over `int8Sections`: inputs queries, mask `[t, 1, b * 128]`, then the sections. The scale of a channel
 * goes into the query, a token's into its score and its weight; query rows are rounded to 16 bits, weights to 8 within
 * each block.
 */
export function int8Graph(shape: HeadShape): OnnxModel {
  const graph = new IntegerGraph(shape);
  const width = shape.heads * shape.headDim;
  const queries = graph.input('queries', ['tokens', width]);
  const mask = graph.input('mask', ['tokens', 1, 'rows']);
  const names = Object.keys(INT8);
  const [keys, values, keyScales, valueScales, channelScales] = int8Sections(shape).map((section, place) => {
    const dims = section.shared ? section.dims : ['blocks', ...section.dims];
    return graph.input(names[place]!, dims, DataType[section.dtype]);
  }) as [string, string, string, string, string];
  const scaled = graph.add('Mul', [graph.queriesByKeyHead(queries), channelScales]);
  const query = graph.signedBytePairs(scaled, [-1], 1);
  const queryUnit = graph.add('Mul', [query.unit, graph.scalar(1 / Math.sqrt(shape.headDim))]);
  const products = graph.byteProduct(query.bytes, keys, SIGNED_ZERO, SIGNED_ZERO);
  const byToken = graph.add('Mul', [graph.joinedPairs(graph.toFloat(products), 2), queryUnit]);
  const scores = graph.rowsOfBlocks(graph.add('Mul', [byToken, keyScales]));
  const weights = graph.add('Softmax', [graph.add('Add', [scores, mask])], { axis: -1n });
  const scaledWeights = graph.add('Mul', [graph.blocksOfRows(weights), valueScales]);
  const weight = graph.unsignedBytes(scaledWeights, [-1]);
  const sums = graph.toFloat(graph.byteProduct(weight.bytes, values, 0, SIGNED_ZERO));
  const byBlock = graph.add('Mul', [sums, weight.unit]);
  const attended = graph.add('ReduceSum', [byBlock, graph.integers([0])], { keepdims: 0n });
  graph.output('attended', graph.headsByToken(attended), ['tokens', width]);
  return graph.model('int8-attention');
}
