import { requireReadable } from '../gguf/dequantise';
import { badModel, unsupportedModel } from '../source/model-errors';
import type { ModelSource } from '../source/model-source';
import { tensorFault, type StoredMatrix, type WeightReader } from '../source/tensor-reader';
import { attentionWeights, EMBEDDING, feedForwardWeights, headWeights, ropeFactors } from './layer-weights';

/** A damaged model can lack thousands of tensors. */
const FAULTS_NAMED = 5;

/**
 * Checks by the header alone that every tensor the decoder will read is there in its shape and a type that can be read,
 * and that there is no other: it would belong to a feature that would be left out silently.
 * @throws SluiceError `bad-model`, `unsupported`, naming the tensors.
 */
export function checkWeights(source: ModelSource): void {
  const { config, tensors } = source;
  const asked = new AskedTensors(source);
  asked.matrix(EMBEDDING, config.vocabularySize, config.width);
  ropeFactors(asked, config);
  for (let layer = 0; layer < config.layers; layer += 1) {
    attentionWeights(asked, config, layer);
    feedForwardWeights(asked, config, layer);
  }
  headWeights(asked, config);
  const unknown = [...tensors].find(([name]) => !asked.names.has(name))?.[1].name;
  if (unknown !== undefined) {
    throw unsupportedModel(
      source,
      `the architecture '${config.architecture}' has no tensor '${unknown}'; the model has parts that can't be run`,
    );
  }
  const { faults } = asked;
  if (faults.length > 0) {
    const more = faults.length > FAULTS_NAMED ? `; and ${faults.length - FAULTS_NAMED} more` : '';
    throw badModel(source, faults.slice(0, FAULTS_NAMED).join('; ') + more);
  }
  for (const name of asked.names) requireReadable(source.path, tensors.get(name)!);
}

/** Notes what is asked for, and reads nothing. */
class AskedTensors implements WeightReader {
  readonly names = new Set<string>();
  readonly faults: string[] = [];

  constructor(private readonly source: ModelSource) {}

  has(name: string): boolean {
    return this.source.tensors.has(name);
  }

  matrix(name: string, rows: number, columns: number): StoredMatrix {
    this.ask(name, [rows, columns]);
    return NO_MATRIX;
  }

  vector(name: string, length: number): Float32Array {
    this.ask(name, [length]);
    return NO_VECTOR;
  }

  private ask(name: string, dims: readonly number[]): void {
    // The embedding is asked for as head too.
    if (this.names.has(name)) return;
    this.names.add(name);
    const fault = tensorFault(this.source, name, dims);
    if (fault !== undefined) this.faults.push(fault);
  }
}

const NO_VECTOR = new Float32Array(0);
const NO_MATRIX: StoredMatrix = {
  type: { name: 'F32', blockElements: 1, blockBytes: 4 },
  rows: 0,
  columns: 0,
  bytes: new Uint8Array(0),
};
