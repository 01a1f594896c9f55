import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ggmlType } from '../gguf/ggml-types';
import { folderName } from '../huggingface/tensor-names';
import type { TokenizerSource } from '../tokenizer/tokenizer-source';
import type { TestGguf } from './gguf-writer';
import { safetensorsBytes, type TestSafeTensor } from './safetensors-writer';

type Parts = Required<Pick<TestGguf, 'metadata' | 'tensors'>>;
const CLASSES: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
};

export interface TinyFolderOptions {
  /** Entries of config.json that are added or replaced. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Files of weights; more than one come with an index. Default 1. */
  readonly files?: number;
  readonly tokenizer?: TokenizerSource;
}

/** Writes the model of a GGUF file as transformers would save it. */
export function writeTinyFolder(folder: string, parts: Parts, options: TinyFolderOptions = {}): void {
  mkdirSync(folder, { recursive: true });
  const { tokenizer, files = 1 } = options;
  const write = (name: string, value: unknown): void =>
    writeFileSync(path.join(folder, name), JSON.stringify(value));
  write('config.json', { ...tinyConfig(parts), ...options.config });
  if (tokenizer) {
    write('tokenizer.json', { version: '1.0', ...tokenizer.json });
    write('tokenizer_config.json', {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: tokenizer.eosToken,
      chat_template: tokenizer.chatTemplate,
    });
  }
  const tensors = tinyTensors(parts);
  if (files === 1) {
    writeFileSync(path.join(folder, 'model.safetensors'), safetensorsBytes(tensors));
    return;
  }
  const map: Record<string, string> = {};
  for (let file = 0; file < files; file += 1) {
    const name = `model-${file + 1}-of-${files}.safetensors`;
    const part = tensors.filter((_, index) => index % files === file);
    for (const tensor of part) map[tensor.name] = name;
    writeFileSync(path.join(folder, name), safetensorsBytes(part));
  }
  write('model.safetensors.index.json', { metadata: { total_size: 1 }, weight_map: map });
}

function tinyConfig({ metadata }: Parts): Record<string, unknown> {
  const values = new Map<string, unknown>(metadata.map(([key, , value]) => [key, value]));
  const architecture = values.get('general.architecture') as string;
  const at = (key: string): unknown => values.get(`${architecture}.${key}`);
  return {
    architectures: [CLASSES[architecture]],
    hidden_size: at('embedding_length'),
    intermediate_size: at('feed_forward_length'),
    num_hidden_layers: at('block_count'),
    num_attention_heads: at('attention.head_count'),
    num_key_value_heads: at('attention.head_count_kv'),
    head_dim: at('attention.key_length'),
    vocab_size: 320,
    max_position_embeddings: at('context_length'),
    rms_norm_eps: at('attention.layer_norm_rms_epsilon'),
    rope_theta: at('rope.freq_base'),
    tie_word_embeddings: true,
  };
}

export function tinyTensors({ metadata, tensors }: Parts): TestSafeTensor[] {
  const isLlama = metadata.some(([, , value]) => value === 'llama');
  const headDim = metadata.find(([key]) => key.endsWith('.key_length'))![2] as number;
  return tensors.map(({ name, dims, typeId, bytes }) => ({
    name: folderName(name),
    dtype: ggmlType(typeId)!.name,
    shape: dims,
    bytes: isLlama && /attn_[qk]\.weight$/.test(name) ? byHalves(bytes, dims[0]!, headDim) : bytes,
  }));
}

/**
 * GGUF's llama files have the rows of a head's pairs as neighbours, transformers has all first ones before the second
 * ones (`permute` of llama.cpp's convert_hf_to_gguf.py, undone).
 */
function byHalves(bytes: Uint8Array, rows: number, headDim: number): Uint8Array {
  const rowBytes = bytes.length / rows;
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row += 1) {
    const inHead = row % headDim;
    const half = headDim / 2;
    const from = row - inHead + 2 * (inHead % half) + Math.floor(inHead / half);
    out.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
  }
  return out;
}
