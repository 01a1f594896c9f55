import { gaussian, numberToFloat16, seededRandom, type Random } from '../../base';
import { ggufBytes, type TestGguf, type TestTensor } from './gguf-writer';
import { randomBlocks, typeIdOf, typeNamed } from './random-blocks';

export interface TinyModelOptions {
  readonly architecture?: 'llama' | 'qwen2' | 'qwen3';
  /** Type of the matrices, `F32`, `F16`, `BF16` or a quantised one. Default `Q4_1`. */
  readonly weights?: string;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly seed?: number;
}

type Entry = NonNullable<TestGguf['metadata']>[number];
const LAYERS = 3;
const WIDTH = 256;
const HEAD_DIM = 32;
const FEED_FORWARD = 512;
const VOCABULARY = 320;

/** A GGUF file of a small decoder with seeded weights: every part of the architecture, none of the size. */
export function tinyModel(options: TinyModelOptions = {}): Uint8Array {
  return ggufBytes(tinyModelParts(options));
}

export function tinyModelParts(
  options: TinyModelOptions = {},
): Required<Pick<TestGguf, 'metadata' | 'tensors'>> {
  const { architecture = 'llama', weights = 'Q4_1', heads = 6, kvHeads = 2, seed = 1 } = options;
  const random = seededRandom(seed);
  const sizes: readonly (readonly [string, number])[] = [
    ['block_count', LAYERS],
    ['context_length', 2048],
    ['embedding_length', WIDTH],
    ['feed_forward_length', FEED_FORWARD],
    ['attention.head_count', heads],
    ['attention.head_count_kv', kvHeads],
    ['attention.key_length', HEAD_DIM],
    ['attention.value_length', HEAD_DIM],
    ['rope.dimension_count', HEAD_DIM],
  ];
  const metadata: Entry[] = [
    ['general.architecture', 'string', architecture],
    ...sizes.map(([key, value]): Entry => [`${architecture}.${key}`, 'uint32', value]),
    [`${architecture}.rope.freq_base`, 'float32', 10_000],
    [`${architecture}.attention.layer_norm_rms_epsilon`, 'float32', 1e-5],
  ];
  const matrix = (name: string, rows: number, columns: number): TestTensor => ({
    name: `${name}.weight`,
    dims: [rows, columns],
    typeId: typeIdOf(weights),
    bytes: ['F32', 'F16', 'BF16'].includes(weights)
      ? narrowed(weights, floats(rows * columns, random, 0, 1 / Math.sqrt(columns)))
      : quants(weights, rows * columns, random),
  });
  const vector = (name: string, length: number, mean: number): TestTensor => ({
    name,
    dims: [length],
    typeId: typeIdOf('F32'),
    bytes: floats(length, random, mean, 0.1),
  });
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    const projections: readonly (readonly [string, number])[] = [
      ['attn_q', heads * HEAD_DIM],
      ['attn_k', kvHeads * HEAD_DIM],
      ['attn_v', kvHeads * HEAD_DIM],
    ];
    const at = (part: string): string => `blk.${layer}.${part}`;
    return [
      vector(at('attn_norm.weight'), WIDTH, 1),
      ...projections.map(([part, rows]) => matrix(at(part), rows, WIDTH)),
      ...(architecture === 'qwen2'
        ? projections.map(([part, rows]) => vector(at(`${part}.bias`), rows, 0))
        : []),
      ...(architecture === 'qwen3'
        ? ['attn_q_norm', 'attn_k_norm'].map((part) => vector(at(`${part}.weight`), HEAD_DIM, 1))
        : []),
      matrix(at('attn_output'), WIDTH, heads * HEAD_DIM),
      vector(at('ffn_norm.weight'), WIDTH, 1),
      matrix(at('ffn_gate'), FEED_FORWARD, WIDTH),
      matrix(at('ffn_up'), FEED_FORWARD, WIDTH),
      matrix(at('ffn_down'), WIDTH, FEED_FORWARD),
    ];
  });
  return {
    metadata,
    tensors: [
      matrix('token_embd', VOCABULARY, WIDTH),
      vector('output_norm.weight', WIDTH, 1),
      ...layers.flat(),
    ],
  };
}

function floats(count: number, random: Random, mean: number, std: number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: count }, () => mean + std * gaussian(random)).buffer);
}

/** Float32 values in a narrower type; BF16 is cut off, not rounded. */
function narrowed(typeName: string, bytes: Uint8Array): Uint8Array {
  const values = new Float32Array(bytes.buffer);
  if (typeName === 'F32') return bytes;
  const halves = Uint16Array.from(values, (value, at) =>
    typeName === 'F16' ? numberToFloat16(value) : (bytes[4 * at + 3]! << 8) | bytes[4 * at + 2]!,
  );
  return new Uint8Array(halves.buffer);
}

function quants(typeName: string, count: number, random: Random): Uint8Array {
  const type = typeNamed(typeName);
  return randomBlocks(type, count / type.blockElements, random);
}
