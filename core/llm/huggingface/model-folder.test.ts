import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

  it('follows the links of a download cache, and no link of a text to elsewhere', async () => {
    const plain = asFolder(LLAMA);
    const cache = mkdtempSync(path.join(root, 'cache-'));
    const [blobs, snapshot] = [path.join(cache, 'blobs'), path.join(cache, 'snapshots', 'rev')];
    mkdirSync(blobs);
    mkdirSync(snapshot, { recursive: true });
    for (const name of readdirSync(plain)) {
      writeFileSync(path.join(blobs, name), readFileSync(path.join(plain, name)));
      symlinkSync(path.join('..', '..', 'blobs', name), path.join(snapshot, name));
    }
    checkWeights(await readModelFolder(snapshot));
    const secret = path.join(root, 'secret');
    writeFileSync(secret, 'secret');
    for (const folder of [plain, snapshot]) {
      symlinkSync(secret, path.join(folder, 'chat_template.jinja'));
      const refused = expect(readModelFolder(folder)).rejects;
      await refused.toThrow(/chat_template\.jinja leads to .*secret; expected a file below/);
    }
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
