import { encodeModel } from '../../onnx';
import { sha256Hex } from '../../storage';
import type { DecoderConfig } from '../decoder/config';
import { betweenGraph, headGraph, type LayerGraphOptions } from '../decoder/layer-graphs';
import { attentionWeights, feedForwardWeights, headWeights } from '../decoder/layer-weights';
import type { ModelSource } from '../source/model-source';
import type { StoredMatrix, WeightReader } from '../source/tensor-reader';

/** A multiple of every type's blocks. */
const WIDTH = 256;
const HEAD_DIM = 32;

/**
 * Changes with whatever this build would lay out otherwise: a small decoder with the model's features and types of
 * weights is built, and hashed. Whole models are compiled once and read by many versions.
 */
export function graphFingerprint(
  { config, tensors }: Pick<ModelSource, 'config' | 'tensors'>,
  precision: LayerGraphOptions['precision'],
): string {
  const small: DecoderConfig = {
    ...config,
    layers: 2,
    width: WIDTH,
    feedForwardWidth: WIDTH,
    heads: WIDTH / HEAD_DIM,
    kvHeads: WIDTH / HEAD_DIM,
    headDim: HEAD_DIM,
    vocabularySize: WIDTH,
    rope: { ...config.rope, dim: HEAD_DIM },
  };
  const reader = new PatternReader(tensors);
  const options = { config: small, precision };
  const models = [
    betweenGraph(feedForwardWeights(reader, small, 0), attentionWeights(reader, small, 0), options),
    headGraph(headWeights(reader, small), options),
  ];
  return models.map((model) => sha256Hex(encodeModel(model)).slice(0, 16)).join('-');
}

/** Weights of the model's types that hold always the same bytes. */
class PatternReader implements WeightReader {
  constructor(private readonly tensors: ModelSource['tensors']) {}

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  matrix(name: string, rows: number, columns: number): StoredMatrix {
    const { type } = this.tensors.get(name)!;
    const byteLength = (rows * columns * type.blockBytes) / type.blockElements;
    // No byte is so large that a scale would be no number.
    return { type, rows, columns, bytes: Uint8Array.from({ length: byteLength }, (_, at) => (at * 7) % 61) };
  }

  vector(_name: string, length: number): Float32Array {
    return Float32Array.from({ length }, (_, at) => 1 + (at % 5));
  }
}
