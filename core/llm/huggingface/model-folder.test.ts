import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { OrtEnvironment } from '../../ort';
import { checkWeights } from '../decoder/check-weights';
import { Decoder } from '../decoder/decoder';
import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import type { ModelSource } from '../source/model-source';
import { ggufBytes } from '../test-support/gguf-writer';
import { safetensorsBytes } from '../test-support/safetensors-writer';
import { tinyTensors, writeTinyFolder, type TinyFolderOptions } from '../test-support/tiny-folder';
import { tinyModelParts, type TinyModelOptions } from '../test-support/tiny-model';
import { modelFolderFiles, readModelFolder } from './read-model-folder';

let root: string;
let environment: OrtEnvironment;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sluice-folder-'));
  environment = OrtEnvironment.open({ threads: 2 });
});
afterAll(() => {
  environment.close();
  rmSync(root, { recursive: true, force: true });
});

type Parts = ReturnType<typeof tinyModelParts>;
/** Its values take a quarter of a second to draw. */
const LLAMA = tinyModelParts({ weights: 'F32' });
const fresh = (): string => path.join(root, String(count++));

async function asGguf(parts: Parts): Promise<ModelSource> {
  const file = `${fresh()}.gguf`;
  writeFileSync(file, ggufBytes(parts));
  return ggufSource(await readGguf(file));
}

function asFolder(parts: Parts, options: TinyFolderOptions = {}): string {
  const folder = fresh();
  writeTinyFolder(folder, parts, options);
  return folder;
}

async function logitsOf(source: ModelSource): Promise<Float32Array> {
  const decoder = await Decoder.open(source, environment);
  const cache = decoder.createCache(40);
  const tokens = Array.from({ length: 32 }, (_, index) => (index * 7919 + 13) % 320);
  const logits = (await decoder.forward(tokens, cache, 32)).slice();
  cache.release();
  decoder.close();
  return logits;
}

/** The largest distance, as a share of the largest logit. */
function distance(a: Float32Array, b: Float32Array): number {
  let span = 0;
  let apart = 0;
  for (const [index, value] of a.entries()) {
    span = Math.max(span, Math.abs(value));
    apart = Math.max(apart, Math.abs(value - b[index]!));
  }
  return apart / span;
}

describe('a folder gives the logits of the GGUF file of the same model', () => {
  it.each<TinyModelOptions>([
    { architecture: 'qwen2', weights: 'F32' },
    { architecture: 'qwen2', weights: 'BF16' },
    { architecture: 'qwen3', weights: 'F16' },
  ])('to the bit where its rows stand as they do there: %o', async (options) => {
    const parts = tinyModelParts(options);
    const found = await logitsOf(await readModelFolder(asFolder(parts, { files: 3 })));
    expect(Buffer.from(found.buffer).equals(Buffer.from((await logitsOf(await asGguf(parts))).buffer))).toBe(
      true,
    );
  });

  it.each(['F32', 'F16', 'BF16'])(
    'to the order of sums for llama, whose rows stand otherwise: %s',
    async (weights) => {
      const parts = tinyModelParts({ architecture: 'llama', weights });
      const folder = asFolder(parts);
      const found = await logitsOf(await readModelFolder(folder));
      expect(distance(await logitsOf(await asGguf(parts)), found)).toBeLessThan(1e-5);
      // The rows as GGUF has them are another model: the test would see it.
      const asInGguf = tinyTensors(parts).map((tensor) => {
        const same = parts.tensors.find(
          ({ name }) => /attn_[qk]\.weight$/.test(name) && tensor.name === HF[name],
        );
        return same ? { ...tensor, bytes: same.bytes } : tensor;
      });
      writeFileSync(path.join(folder, 'model.safetensors'), safetensorsBytes(asInGguf));
      expect(distance(found, await logitsOf(await readModelFolder(folder)))).toBeGreaterThan(1e-3);
    },
  );

  it('with the frequencies of Llama 3, which GGUF files have as a tensor', async () => {
    const parts = tinyModelParts({ architecture: 'llama', weights: 'F32' });
    const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const config = { rope_scaling: { ...scaling, original_max_position_embeddings: 64 } };
    const source = await readModelFolder(asFolder(parts, { config }));
    const factors = source.config.rope.factors!;
    expect(factors[0]).toBe(1);
    expect(factors.at(-1)).toBe(8);
    const bytes = new Uint8Array(factors.buffer);
    const tensor = { name: 'rope_freqs.weight', dims: [16], typeId: 0, bytes };
    const gguf = await asGguf({ ...parts, tensors: [...parts.tensors, tensor] });
    const found = await logitsOf(source);
    expect(distance(await logitsOf(gguf), found)).toBeLessThan(1e-5);
    expect(distance(await logitsOf(await asGguf(parts)), found)).toBeGreaterThan(1e-3);
  });

  it('with linear scaling, by its old name and its new', async () => {
    const parts = tinyModelParts({ architecture: 'qwen2', weights: 'F32' });
    const old = { rope_scaling: { type: 'linear', factor: 4 } };
    const since5 = {
      rope_theta: undefined,
      rope_parameters: { rope_type: 'linear', factor: 4, rope_theta: 10_000 },
    };
    const gguf = await asGguf({
      ...parts,
      metadata: [
        ...parts.metadata,
        ['qwen2.rope.scaling.type', 'string', 'linear'],
        ['qwen2.rope.scaling.factor', 'float32', 4],
      ],
    });
    const expected = await logitsOf(gguf);
    for (const config of [old, since5]) {
      expect(await logitsOf(await readModelFolder(asFolder(parts, { config })))).toEqual(expected);
    }
  });
});

/** Names of the projections that are turned. */
const HF: Readonly<Record<string, string>> = Object.fromEntries(
  [0, 1, 2].flatMap((layer) =>
    ['q', 'k'].map((part) => [
      `blk.${layer}.attn_${part}.weight`,
      `model.layers.${layer}.self_attn.${part}_proj.weight`,
    ]),
  ),
);

it('has the frequencies of Llama 3.2', async () => {
  const scaling = { rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4 };
  const config = {
    head_dim: 64,
    rope_theta: 500_000,
    rope_scaling: { ...scaling, original_max_position_embeddings: 8192 },
  };
  const source = await readModelFolder(asFolder(LLAMA, { config }));
  const { factors, ...rope } = source.config.rope;
  expect(rope).toEqual({ dim: 64, theta: 500_000, scale: 1, interleaved: false });
  // By transformers 4.57.6: pairs up to 14 as ever, from 18 on 32 times slower, and these between.
  const expected = [...Array<number>(15).fill(1), 1.65133, 3.29226, 9.66673, ...Array<number>(14).fill(32)];
  for (const [pair, factor] of expected.entries()) expect(factors![pair]).toBeCloseTo(factor, 4);
});

describe('a folder', () => {
  it('has the tensors that transformers names', async () => {
    const source = await readModelFolder(asFolder(tinyModelParts({ architecture: 'qwen3', weights: 'F32' })));
    const names = [...source.tensors.values()].map(({ name }) => name);
    expect(names.filter((name) => !/layers\.[12]\./.test(name)).sort()).toEqual([
      'model.embed_tokens.weight',
      'model.layers.0.input_layernorm.weight',
      'model.layers.0.mlp.down_proj.weight',
      'model.layers.0.mlp.gate_proj.weight',
      'model.layers.0.mlp.up_proj.weight',
      'model.layers.0.post_attention_layernorm.weight',
      'model.layers.0.self_attn.k_norm.weight',
      'model.layers.0.self_attn.k_proj.weight',
      'model.layers.0.self_attn.o_proj.weight',
      'model.layers.0.self_attn.q_norm.weight',
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.0.self_attn.v_proj.weight',
      'model.norm.weight',
    ]);
  });

  it('lists the files that are read, and follows links as a download cache has them', async () => {
    const folder = asFolder(LLAMA, { files: 2 });
    writeFileSync(path.join(folder, 'README.md'), 'Not read.');
    writeFileSync(path.join(folder, 'chat_template.jinja'), '{{ messages }}');
    expect(await modelFolderFiles(folder)).toEqual([
      'config.json',
      'chat_template.jinja',
      'model.safetensors.index.json',
      'model-1-of-2.safetensors',
      'model-2-of-2.safetensors',
    ]);
    const target = path.join(folder, 'model-1-of-2.safetensors');
    const blob = path.join(root, 'blob');
    writeFileSync(blob, readFileSync(target));
    rmSync(target);
    symlinkSync(blob, target);
    checkWeights(await readModelFolder(folder));
  });

  it('leaves out what is derived, and a head that is the embedding', async () => {
    const folder = asFolder(LLAMA);
    const tensors = tinyTensors(LLAMA);
    const extra = [
      { ...tensors[0]!, name: 'lm_head.weight' },
      {
        name: 'model.layers.0.self_attn.rotary_emb.inv_freq',
        dtype: 'F32',
        shape: [1],
        bytes: new Uint8Array(4),
      },
    ];
    writeFileSync(path.join(folder, 'model.safetensors'), safetensorsBytes([...tensors, ...extra]));
    checkWeights(await readModelFolder(folder));
  });
});

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
