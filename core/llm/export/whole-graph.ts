import { SluiceError } from '../../contract';
import { DataType, makeValueInfo, type Dim, type OnnxModel } from '../../onnx';
import type { DecoderConfig } from '../decoder/config';
import { GraphRecorder, MICROSOFT } from '../decoder/graph-recorder';
import {
  attentionWeights,
  EMBEDDING,
  feedForwardWeights,
  headWeights,
  ropeFactors,
} from '../decoder/layer-weights';
import { Rope } from '../decoder/rope';
import { dequantise } from '../gguf/dequantise';
import type { StoredMatrix, TensorReader } from '../gguf/tensor-reader';
import { BLOCK_ELEMENTS, symmetricBlocks } from './symmetric-blocks';

/** `q4`: 4 bits in blocks of 32 without zero points, x rounded to 8 bits (accuracy level 4). `fp32`: expanded. */
export type ExportPrecision = 'q4' | 'fp32';

/** ONNX Runtime's fastest kernels for 4-bit weights. */
const INT8_ACTIVATIONS = 4n;
const TOKENS = ['batch_size', 'sequence_length'] as const;

/**
 * A decoder as one graph with the inputs and outputs of Hugging Face's exports: `input_ids`, `attention_mask`,
 * `num_logits_to_keep`, `past_key_values.N.key|value` to `logits`, `present.N.key|value`. It is made of the operators
 * ONNX Runtime fuses decoders to (GroupQueryAttention, SkipSimplifiedLayerNormalization, MatMulNBits), so that whoever
 * runs it runs it as fast as it goes.
 * @throws SluiceError `unsupported` for other families than llama, `bad-model`, `io`.
 */
export function wholeGraph(
  reader: TensorReader,
  config: DecoderConfig,
  precision: ExportPrecision,
): OnnxModel {
  requireLlama(config);
  return new WholeRecorder(reader, config, precision).record();
}

function requireLlama({ architecture, attentionBias, queryKeyNorm, rope, headDim }: DecoderConfig): void {
  if (rope.interleaved && !attentionBias && !queryKeyNorm && rope.dim === headDim) return;
  throw new SluiceError(
    'unsupported',
    `Only models of the llama family can be exported as one graph; this one is '${architecture}'.`,
  );
}

class WholeRecorder {
  private readonly graph = new GraphRecorder();

  constructor(
    private readonly reader: TensorReader,
    private readonly config: DecoderConfig,
    private readonly precision: ExportPrecision,
  ) {}

  record(): OnnxModel {
    const { graph, config, reader } = this;
    const lengths = this.lengths();
    const angles = this.angles();
    let x = this.embed();
    let added: string | undefined;
    for (let layer = 0; layer < config.layers; layer += 1) {
      const attention = attentionWeights(reader, config, layer);
      const rest = feedForwardWeights(reader, config, layer);
      let normed: string;
      [normed, x] = this.addAndNorm(x, added, attention.norm);
      const [queries, keys, values] = attention.projections;
      const projected = this.multiply(normed, [
        halvesApart(queries!, config.headDim),
        halvesApart(keys!, config.headDim),
        values!,
      ]);
      const attended = this.attend(projected, layer, [...lengths, ...angles]);
      [normed, x] = this.addAndNorm(x, this.multiply(attended, [rest.attentionOutput]), rest.norm);
      added = this.feedForward(normed, rest.projections, rest.down);
    }
    const head = headWeights(reader, config);
    const [normed] = this.addAndNorm(x, added, head.norm);
    const logits = this.multiply(this.lastTokens(normed), [head.projection]);
    graph.output('logits', logits, [...TOKENS, config.vocabularySize]);
    return withTokenInputs(graph.model('decoder'));
  }

  /** @returns cached tokens but one by sequence, and all tokens, as attention wants them. */
  private lengths(): string[] {
    const { graph } = this;
    const toInt32 = (value: string): string => graph.add('Cast', [value], { to: BigInt(DataType.int32) });
    const one = graph.integers([1]);
    const counts = graph.add('ReduceSum', ['attention_mask', one], { keepdims: 0n });
    const total = graph.add('Gather', [graph.add('Shape', ['attention_mask']), one]);
    const scalar = graph.add('Squeeze', [total]);
    return [toInt32(graph.add('Sub', [counts, one])), toInt32(scalar)];
  }

  /** @returns cosines and sines of every position. */
  private angles(): string[] {
    const { rope, contextLength } = this.config;
    const tables = [0, 1].map(() => new Float32Array((contextLength * rope.dim) / 2));
    const positions = Array.from({ length: contextLength }, (_, position) => position);
    new Rope(rope, ropeFactors(this.reader, this.config)).fill(positions, tables[0]!, tables[1]!);
    return tables.map((table) => this.graph.constant([contextLength, rope.dim / 2], table));
  }

  private embed(): string {
    const { graph, config } = this;
    const { vocabularySize, width } = config;
    const values = valuesOf(this.reader.matrix(EMBEDDING, vocabularySize, width));
    if (this.precision === 'fp32') {
      return graph.add('Gather', [graph.constant([vocabularySize, width], values), 'input_ids']);
    }
    const { quants, scales } = symmetricBlocks(values);
    return graph.add(
      'GatherBlockQuantized',
      [
        graph.constant([vocabularySize, width / 2], quants),
        'input_ids',
        graph.constant([vocabularySize, width / BLOCK_ELEMENTS], scales),
      ],
      { bits: 4n, block_size: BigInt(BLOCK_ELEMENTS), gather_axis: 0n, quantize_axis: 1n },
      MICROSOFT,
    );
  }

  /** @returns the norm of `x + added`, and that sum. */
  private addAndNorm(x: string, added: string | undefined, scale: Float32Array): [string, string] {
    const { graph, config } = this;
    const weight = graph.constant([scale.length], scale);
    if (added === undefined) {
      const attributes = { axis: -1n, epsilon: config.rmsEpsilon, stash_type: 1n };
      return [graph.add('SimplifiedLayerNormalization', [x, weight], attributes), x];
    }
    const outputs = graph.addMany(
      'SkipSimplifiedLayerNormalization',
      [x, added, weight],
      4,
      { epsilon: config.rmsEpsilon },
      MICROSOFT,
    );
    return [outputs[0]!, outputs[3]!];
  }

  private attend(projected: string, layer: number, others: readonly string[]): string {
    const { graph } = this;
    const { heads, kvHeads, headDim } = this.config;
    const shape = (rows: string): Dim[] => ['batch_size', kvHeads, rows, headDim];
    const past = ['key', 'value'].map((kind) =>
      graph.input(`past_key_values.${layer}.${kind}`, shape('past_sequence_length')),
    );
    const [attended, ...present] = graph.addMany(
      'GroupQueryAttention',
      [projected, '', '', ...past, ...others],
      3,
      {
        num_heads: BigInt(heads),
        kv_num_heads: BigInt(kvHeads),
        scale: 1 / Math.sqrt(headDim),
        do_rotary: 1n,
        rotary_interleaved: 0n,
      },
      MICROSOFT,
    );
    for (const [index, kind] of ['key', 'value'].entries()) {
      graph.output(`present.${layer}.${kind}`, present[index]!, shape('total_sequence_length'));
    }
    return attended!;
  }

  private feedForward(x: string, projections: readonly StoredMatrix[], down: StoredMatrix): string {
    const { graph } = this;
    const [gate, up] = projections.map((matrix) => this.multiply(x, [matrix]));
    const opened = graph.add('Mul', [gate!, graph.add('Sigmoid', [gate!])]);
    return this.multiply(graph.add('Mul', [opened, up!]), [down]);
  }

  /** `x [..., in]` times the transposed matrices, one below the other. */
  private multiply(x: string, matrices: readonly StoredMatrix[]): string {
    const { graph } = this;
    const columns = matrices[0]!.columns;
    const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
    const values = new Float32Array(rows * columns);
    let at = 0;
    for (const matrix of matrices) {
      values.set(valuesOf(matrix), at);
      at += matrix.rows * columns;
    }
    if (this.precision === 'fp32') {
      return graph.add('MatMul', [x, graph.constant([columns, rows], transposed(values, rows, columns))]);
    }
    const { quants, scales } = symmetricBlocks(values);
    const blocks = columns / BLOCK_ELEMENTS;
    return graph.add(
      'MatMulNBits',
      [
        x,
        graph.constant([rows, blocks, BLOCK_ELEMENTS / 2], quants),
        graph.constant([rows * blocks], scales),
      ],
      {
        K: BigInt(columns),
        N: BigInt(rows),
        bits: 4n,
        block_size: BigInt(BLOCK_ELEMENTS),
        accuracy_level: INT8_ACTIVATIONS,
      },
      MICROSOFT,
    );
  }

  /** The last `num_logits_to_keep` tokens; 0 stands for all. */
  private lastTokens(x: string): string {
    const { graph } = this;
    const start = graph.add('Reshape', [graph.add('Neg', ['num_logits_to_keep']), graph.integers([1])]);
    const end = graph.integers([Number.MAX_SAFE_INTEGER]);
    return graph.add('Slice', [x, start, end, graph.integers([1])]);
  }
}

/** The recorder's own inputs are all floats. */
function withTokenInputs(model: OnnxModel): OnnxModel {
  model.graph.inputs.unshift(
    makeValueInfo('input_ids', DataType.int64, TOKENS),
    makeValueInfo('attention_mask', DataType.int64, ['batch_size', 'total_sequence_length']),
    makeValueInfo('num_logits_to_keep', DataType.int64, []),
  );
  return model;
}

function valuesOf({ type, bytes, rows, columns }: StoredMatrix): Float32Array {
  const values = new Float32Array(rows * columns);
  dequantise(type, bytes, values);
  return values;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return out;
}

/**
 * GGUF files of the llama family have the two elements that are rotated together side by side; Hugging Face's weights,
 * and ONNX Runtime's vectorised rotation, have them half a head apart.
 */
function halvesApart(matrix: StoredMatrix, headDim: number): StoredMatrix {
  const rowBytes = matrix.bytes.length / matrix.rows;
  const bytes = new Uint8Array(matrix.bytes.length);
  for (let row = 0; row < matrix.rows; row += 1) {
    const inHead = row % headDim;
    const target = row - inHead + (inHead >> 1) + (inHead % 2) * (headDim / 2);
    bytes.set(matrix.bytes.subarray(row * rowBytes, (row + 1) * rowBytes), target * rowBytes);
  }
  return { ...matrix, bytes };
}
