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
import type { StoredMatrix, TensorReader } from '../source/tensor-reader';
import { ExportProducts, type ExportPrecision } from './export-products';
import { halvesApart } from './export-weights';

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
  private readonly products: ExportProducts;

  constructor(
    private readonly reader: TensorReader,
    private readonly config: DecoderConfig,
    precision: ExportPrecision,
  ) {
    this.products = new ExportProducts(this.graph, precision);
  }

  record(): OnnxModel {
    const { graph, config, reader, products } = this;
    const lengths = this.lengths();
    const angles = this.angles();
    let x = products.gather(reader.matrix(EMBEDDING, config.vocabularySize, config.width), 'input_ids');
    let added: string | undefined;
    for (let layer = 0; layer < config.layers; layer += 1) {
      const attention = attentionWeights(reader, config, layer);
      const rest = feedForwardWeights(reader, config, layer);
      let normed: string;
      [normed, x] = this.addAndNorm(x, added, attention.norm);
      const [queries, keys, values] = attention.projections;
      const projected = products.multiplyAll(normed, [
        halvesApart(queries!, config.headDim),
        halvesApart(keys!, config.headDim),
        values!,
      ]);
      const attended = this.attend(projected, layer, [...lengths, ...angles]);
      [normed, x] = this.addAndNorm(x, products.multiply(attended, rest.attentionOutput), rest.norm);
      added = this.feedForward(normed, rest.projections, rest.down);
    }
    const head = headWeights(reader, config);
    const [normed] = this.addAndNorm(x, added, head.norm);
    const logits = products.multiply(this.lastTokens(normed), head.projection);
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
    new Rope(rope, ropeFactors(this.reader, this.config)).fill(0, tables[0]!, tables[1]!);
    return tables.map((table) => this.graph.constant([contextLength, rope.dim / 2], table));
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

  private attend(projected: readonly string[], layer: number, others: readonly string[]): string {
    const { graph } = this;
    const { heads, kvHeads, headDim } = this.config;
    const shape = (rows: string): Dim[] => ['batch_size', kvHeads, rows, headDim];
    const past = ['key', 'value'].map((kind) =>
      graph.input(`past_key_values.${layer}.${kind}`, shape('past_sequence_length')),
    );
    // One value holds queries, keys and values, or three do.
    const nothing = projected.length === 1 ? ['', ''] : [];
    const [attended, ...present] = graph.addMany(
      'GroupQueryAttention',
      [...projected, ...nothing, ...past, ...others],
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
    const { graph, products } = this;
    const [gate, up] = projections.map((matrix) => products.multiply(x, matrix));
    const opened = graph.add('Mul', [gate!, graph.add('Sigmoid', [gate!])]);
    return products.multiply(graph.add('Mul', [opened, up!]), down);
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
