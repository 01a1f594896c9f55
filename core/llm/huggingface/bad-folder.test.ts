import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkWeights } from '../decoder/check-weights';
import { safetensorsBytes } from '../test-support/safetensors-writer';
import { tinyTensors, writeTinyFolder, type TinyFolderOptions } from '../test-support/tiny-folder';
import { tinyModelParts } from '../test-support/tiny-model';
import { readModelFolder } from './read-model-folder';

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sluice-bad-folder-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LLAMA = tinyModelParts({ weights: 'F32' });
function asFolder(parts: typeof LLAMA, options: TinyFolderOptions = {}): string {
  const folder = path.join(root, String(count++));
  writeTinyFolder(folder, parts, options);
  return folder;
}

type Damage = (folder: string) => void;
const edit =
  (name: string, change: (json: Record<string, unknown>) => unknown): Damage =>
  (folder) => {
    const file = path.join(folder, name);
    const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify(change(json)));
  };
const config = (changes: Record<string, unknown>): Damage =>
  edit('config.json', (json) => ({ ...json, ...changes }));
const index = (change: (map: Record<string, string>) => void): Damage =>
  edit('model.safetensors.index.json', (json) => {
    change(json['weight_map'] as Record<string, string>);
    return json;
  });
const file =
  (name: string, content: string | undefined): Damage =>
  (folder) =>
    content === undefined ? rmSync(path.join(folder, name)) : writeFileSync(path.join(folder, name), content);

const BAD: readonly (readonly [string, Damage, string, RegExp])[] = [
  ['no config', file('config.json', undefined), 'bad-model', /expected a config.json, found none/],
  ['a config cut short', file('config.json', '{"arch'), 'bad-model', /config.json: expected JSON, found/],
  [
    'a Git LFS pointer',
    file('config.json', 'version https://git-lfs.github.com/spec/v1'),
    'bad-model',
    /expected JSON, found a Git LFS pointer/,
  ],
  ['a config that is no object', file('config.json', '3'), 'bad-model', /config.json: /],
  [
    'a huge config',
    file('config.json', ' '.repeat(5 << 20)),
    'bad-model',
    /has 5242880 bytes; up to 4194304/,
  ],
  [
    'another architecture',
    config({ architectures: ['MixtralForCausalLM'] }),
    'unsupported',
    /'MixtralForCausalLM' can't be run; LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM can/,
  ],
  ['no architecture', config({ architectures: undefined }), 'bad-model', /config.json: architectures: /],
  [
    'faults together',
    config({ hidden_size: 0, num_hidden_layers: 'three' }),
    'bad-model',
    /hidden_size: .*; num_hidden_layers: /,
  ],
  ['too many layers', config({ num_hidden_layers: 5000 }), 'bad-model', /num_hidden_layers: .*1024/],
  ['heads', config({ num_attention_heads: 5 }), 'bad-model', /a multiple of the 2 key heads, found 5/],
  ['wide heads', config({ head_dim: 256 }), 'unsupported', /heads are 256 wide; up to 128/],
  [
    'a fraction of a head',
    config({ head_dim: null, hidden_size: 255 }),
    'bad-model',
    /hidden_size 255 to be a multiple/,
  ],
  [
    'quantised weights',
    config({ quantization_config: { quant_method: 'gptq' } }),
    'unsupported',
    /weights quantised by 'gptq' can't be read; F32, F16 and BF16 can, and quantised GGUF/,
  ],
  ['experts', config({ num_local_experts: 8 }), 'unsupported', /mixtures of experts/],
  [
    'an activation',
    config({ hidden_act: 'gelu' }),
    'unsupported',
    /activation 'gelu' can't be used; silu can/,
  ],
  ['partial rotation', config({ partial_rotary_factor: 0.5 }), 'unsupported', /rotated in part/],
  [
    'rope scaling',
    config({ rope_scaling: { rope_type: 'yarn', factor: 4 } }),
    'unsupported',
    /rope scaling 'yarn' can't be used; default, linear and llama3 can/,
  ],
  [
    'rope scaling without numbers',
    config({ rope_scaling: { rope_type: 'llama3', factor: 8 } }),
    'bad-model',
    /rope_scaling: low_freq_factor: .*original_max_position_embeddings/,
  ],
  ['a negative factor', config({ rope_scaling: { type: 'linear', factor: -1 } }), 'bad-model', /factor: /],
  [
    'a sliding window',
    config({ architectures: ['MistralForCausalLM'], sliding_window: 128 }),
    'unsupported',
    /sliding window of 128 tokens/,
  ],
  [
    'a size',
    config({ intermediate_size: 256 }),
    'bad-model',
    /'model.layers.0.mlp.gate_proj.weight': expected shape \[256, 256\], found \[512, 256\].*and 4 more/,
  ],
  [
    'missing tensors',
    config({ num_hidden_layers: 4 }),
    'bad-model',
    /expected a tensor 'model.layers.3.input_layernorm.weight' \[256\], found none; .*; and 4 more/,
  ],
  [
    'further layers',
    config({ num_hidden_layers: 2 }),
    'unsupported',
    /has no tensor 'model.layers.2.input_layernorm/,
  ],
  [
    'a missing head',
    config({ tie_word_embeddings: false }),
    'bad-model',
    /a tensor 'lm_head.weight' \[320, 256\], found none/,
  ],
  [
    'missing biases',
    config({ architectures: ['Qwen2ForCausalLM'] }),
    'bad-model',
    /layers.0.self_attn.q_proj.bias/,
  ],
  [
    'no weights',
    file('model.safetensors.index.json', undefined),
    'bad-model',
    /expected model.safetensors or .*, found model-1-of-2/,
  ],
  [
    'an index that leaves the folder',
    index((map) => (map['model.norm.weight'] = '../elsewhere.safetensors')),
    'bad-model',
    /names '\.\.\/elsewhere.safetensors'; expected the plain name/,
  ],
  ['an absolute path', index((map) => (map['x'] = '/etc/x.safetensors')), 'bad-model', /names '\/etc\/x/],
  ['a name of Windows', index((map) => (map['x'] = 'C:x.safetensors')), 'bad-model', /names 'C:x/],
  ['a hidden name', index((map) => (map['x'] = '..safetensors')), 'bad-model', /names '\.\.safetensors'/],
  [
    'an index of no names',
    file('model.safetensors.index.json', '{"weight_map":{}}'),
    'bad-model',
    /expected model.safet/,
  ],
  [
    'an index without a map',
    file('model.safetensors.index.json', '{}'),
    'bad-model',
    /index.json: weight_map: /,
  ],
  ['a missing file', file('model-2-of-2.safetensors', undefined), 'not-found', /no file .*model-2-of-2/],
  [
    'an index that tells another file',
    index((map) => (map['model.norm.weight'] = 'model-1-of-2.safetensors')),
    'bad-model',
    /says that tensor 'model.norm.weight' is in model-1-of-2.safetensors, which has none/,
  ],
  [
    'a tensor that the index does not know',
    index((map) => delete map['model.norm.weight']),
    'bad-model',
    /tensor 'model.norm.weight' in model-2-of-2.safetensors is not in/,
  ],
];

describe('a folder that can not be used', () => {
  it.each(BAD)('names %s', async (_name, damage, code, message) => {
    const folder = asFolder(LLAMA, { files: 2 });
    damage(folder);
    const opened = readModelFolder(folder).then(checkWeights);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code });
  });

  it.each<readonly [string, string, RegExp]>([
    ['model.norm.bias', 'F32', /has no tensor 'model.norm.bias'/],
    ['model.layers.0.self_attn.o_proj.bias', 'F32', /has no tensor 'model.layers.0.self_attn.o_proj.bias'/],
    ['model.layers.00.input_layernorm.weight', 'F32', /has no tensor 'model.layers.00.input/],
    ['blk.0.attn_norm.weight', 'F32', /has no tensor 'blk.0.attn_norm.weight'/],
    ['lm_head.weight', 'I8', /'lm_head.weight' is stored as I8, which can't be read; F32, F16, BF16 can/],
  ])('has a tensor %s of %s', async (name, dtype, message) => {
    const folder = asFolder(LLAMA, { config: { tie_word_embeddings: false } });
    const bytes = new Uint8Array(dtype === 'I8' ? 1 : 4);
    const tensors = [...tinyTensors(LLAMA), { name, dtype, shape: [1], bytes }];
    writeFileSync(path.join(folder, 'model.safetensors'), safetensorsBytes(tensors));
    await expect(readModelFolder(folder).then(checkWeights)).rejects.toThrow(message);
  });

  it('is not there', async () => {
    await expect(readModelFolder(path.join(root, 'none'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is let go of when reading is cancelled', async () => {
    const folder = asFolder(LLAMA);
    const signal = AbortSignal.abort();
    await expect(readModelFolder(folder, { signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
