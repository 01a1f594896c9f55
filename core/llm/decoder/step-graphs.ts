import type { OnnxModel } from '../../onnx';
import type { RowRange, TensorReader } from '../source/tensor-reader';
import type { DecoderConfig } from './config';
import { betweenGraph, firstGraph, headGraph, lastGraph, type LayerGraphOptions } from './layer-graphs';
import { attentionWeights, feedForwardWeights, headPartWeights } from './layer-weights';

/** Parts of the head begin at multiples of it, so that no vector of a product is cut. */
const HEAD_PART_ROWS = 128;

/** Graphs before the head: first, between..., last. */
export function layerSteps(config: Pick<DecoderConfig, 'layers'>): number {
  return config.layers + 1;
}

/** The graph of a step before the head, with its weights. @throws SluiceError `unsupported`, `bad-model`, `io`. */
export function layerStepGraph(reader: TensorReader, options: LayerGraphOptions, step: number): OnnxModel {
  const { config } = options;
  if (step === 0) return firstGraph(attentionWeights(reader, config, 0), options);
  const rest = feedForwardWeights(reader, config, step - 1);
  if (step === config.layers) return lastGraph(rest, options);
  return betweenGraph(rest, attentionWeights(reader, config, step), options);
}

/** The graph of the logits of some tokens of the vocabulary. @throws SluiceError as `layerStepGraph`. */
export function headStepGraph(reader: TensorReader, options: LayerGraphOptions, rows: RowRange): OnnxModel {
  const config = { ...options.config, vocabularySize: rows.count };
  return headGraph(headPartWeights(reader, options.config, rows), { ...options, config });
}

/** The head in one part. */
export function wholeHead({ vocabularySize }: DecoderConfig): readonly RowRange[] {
  return [{ first: 0, count: vocabularySize }];
}

/** The head in parts of about as many weights as a layer has. */
export function headParts(config: DecoderConfig): readonly RowRange[] {
  const { width, heads, kvHeads, headDim, feedForwardWidth, vocabularySize } = config;
  const layerWeights = width * (2 * heads * headDim + 2 * kvHeads * headDim + 3 * feedForwardWidth);
  const steps = Math.max(1, Math.floor(layerWeights / width / HEAD_PART_ROWS));
  const rows = steps * HEAD_PART_ROWS;
  return Array.from({ length: Math.ceil(vocabularySize / rows) }, (_, index) => {
    const first = index * rows;
    return { first, count: Math.min(rows, vocabularySize - first) };
  });
}
