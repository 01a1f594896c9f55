import type { DecoderConfig } from '../decoder/config';
import { dequantise } from '../gguf/dequantise';
import type { ModelSource } from '../source/model-source';
import { TensorReader } from '../source/tensor-reader';

type Vector = readonly number[];

/**
 * Logits `[tokens, vocabulary]` by plain loops in double precision, written from the papers (RMSNorm, RoFormer, GQA,
 * SwiGLU) and not from the graphs: what those are compared with.
 */
export function naiveLogits(source: ModelSource, tokens: readonly number[]): number[] {
  const model = new NaiveModel(source);
  try {
    return tokens.flatMap((token, position) => model.next(token, position));
  } finally {
    model.close();
  }
}

class NaiveModel {
  private readonly config: DecoderConfig;
  private readonly reader: TensorReader;
  private readonly keys: Vector[][] = [];
  private readonly values: Vector[][] = [];
  private readonly matrices = new Map<string, Float32Array>();

  constructor(source: ModelSource) {
    this.config = source.config;
    this.reader = new TensorReader(source);
  }

  close(): void {
    this.reader.close();
  }

  next(token: number, position: number): number[] {
    const { width, layers, vocabularySize } = this.config;
    const embedding = this.matrix('token_embd.weight', vocabularySize, width);
    let x: Vector = [...embedding.subarray(token * width, (token + 1) * width)];
    for (let layer = 0; layer < layers; layer += 1) {
      x = add(x, this.attention(x, layer, position));
      x = add(x, this.feedForward(x, layer));
    }
    return this.multiply('token_embd.weight', vocabularySize, this.norm(x, 'output_norm.weight'));
  }

  private attention(x: Vector, layer: number, position: number): Vector {
    const { heads, kvHeads, headDim, width } = this.config;
    const input = this.norm(x, `blk.${layer}.attn_norm.weight`);
    const project = (part: string, count: number): Vector[] => {
      const product = this.multiply(`blk.${layer}.${part}.weight`, count * headDim, input);
      const bias = this.config.attentionBias
        ? [...this.reader.vector(`blk.${layer}.${part}.bias`, count * headDim)]
        : product.map(() => 0);
      const summed = add(product, bias);
      return Array.from({ length: count }, (_, head) => summed.slice(head * headDim, (head + 1) * headDim));
    };
    const turn = (part: string, count: number): Vector[] =>
      project(part, count).map((head) =>
        this.rotate(
          this.config.queryKeyNorm ? this.norm(head, `blk.${layer}.${part}_norm.weight`) : head,
          position,
        ),
      );
    const queries = turn('attn_q', heads);
    (this.keys[layer] ??= []).push(turn('attn_k', kvHeads).flat());
    (this.values[layer] ??= []).push(project('attn_v', kvHeads).flat());
    const attended = queries.flatMap((query, head) => {
      const from = Math.floor(head / (heads / kvHeads)) * headDim;
      const scores = this.keys[layer]!.map(
        (key) => dot(query, key.slice(from, from + headDim)) / Math.sqrt(headDim),
      );
      const weights = softmax(scores);
      return query.map((_, at) =>
        dot(
          weights,
          this.values[layer]!.map((value) => value[from + at]!),
        ),
      );
    });
    return this.multiply(`blk.${layer}.attn_output.weight`, width, attended);
  }

  private feedForward(x: Vector, layer: number): Vector {
    const { feedForwardWidth, width } = this.config;
    const input = this.norm(x, `blk.${layer}.ffn_norm.weight`);
    const gate = this.multiply(`blk.${layer}.ffn_gate.weight`, feedForwardWidth, input);
    const up = this.multiply(`blk.${layer}.ffn_up.weight`, feedForwardWidth, input);
    const gated = gate.map((value, index) => (value / (1 + Math.exp(-value))) * up[index]!);
    return this.multiply(`blk.${layer}.ffn_down.weight`, width, gated);
  }

  /** Pairs of neighbours for llama, halves for qwen. */
  private rotate(x: Vector, position: number): Vector {
    const { dim, theta, interleaved } = this.config.rope;
    const out = [...x];
    for (let pair = 0; pair < dim / 2; pair += 1) {
      const [a, b] = interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + dim / 2];
      const angle = position / theta ** ((2 * pair) / dim);
      out[a] = x[a]! * Math.cos(angle) - x[b]! * Math.sin(angle);
      out[b] = x[a]! * Math.sin(angle) + x[b]! * Math.cos(angle);
    }
    return out;
  }

  private norm(x: Vector, name: string): Vector {
    const scale = this.reader.vector(name, x.length);
    const rms = Math.sqrt(dot(x, x) / x.length + this.config.rmsEpsilon);
    return x.map((value, index) => (value / rms) * scale[index]!);
  }

  private multiply(name: string, rows: number, x: Vector): number[] {
    const matrix = this.matrix(name, rows, x.length);
    return Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (let at = 0; at < x.length; at += 1) sum += matrix[row * x.length + at]! * x[at]!;
      return sum;
    });
  }

  private matrix(name: string, rows: number, columns: number): Float32Array {
    const known = this.matrices.get(name);
    if (known) return known;
    const { type, bytes } = this.reader.matrix(name, rows, columns);
    const values = new Float32Array(rows * columns);
    dequantise(type, bytes, values);
    this.matrices.set(name, values);
    return values;
  }
}

const add = (a: Vector, b: Vector): Vector => a.map((value, index) => value + b[index]!);
const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, index) => sum + value * b[index]!, 0);

function softmax(scores: Vector): Vector {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
