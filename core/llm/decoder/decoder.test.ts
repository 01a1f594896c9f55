import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { OrtEnvironment } from '../../ort';
import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import type { ModelSource } from '../source/model-source';
import { ggufBytes, type TestGguf } from '../test-support/gguf-writer';
import { smolLm2, SMOLLM2_SET_UP_MS } from '../test-support/smollm2';
import { naiveLogits } from '../test-support/naive-decoder';
import { tinyModel, tinyModelParts, type TinyModelOptions } from '../test-support/tiny-model';
import { Decoder, type DecoderOptions } from './decoder';

let folder: string;
let environment: OrtEnvironment;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-decoder-'));
  environment = OrtEnvironment.open({ threads: 2 });
});
afterAll(() => {
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
async function read(bytes: Uint8Array): Promise<ModelSource> {
  const file = path.join(folder, `${files++}.gguf`);
  writeFileSync(file, bytes);
  return ggufSource(await readGguf(file));
}

async function withDecoder<T>(
  source: ModelSource,
  options: DecoderOptions,
  use: (decoder: Decoder) => Promise<T>,
): Promise<T> {
  const decoder = await Decoder.open(source, environment, { maxLogitRows: 64, ...options });
  try {
    return await use(decoder);
  } finally {
    decoder.close();
  }
}

/** Logits of every token, in passes of the given sizes, over and over. */
async function logitsInPasses(
  decoder: Decoder,
  tokens: readonly number[],
  sizes: readonly number[],
): Promise<Float32Array> {
  const cache = decoder.createCache(tokens.length);
  const { vocabularySize } = decoder.config;
  const all = new Float32Array(tokens.length * vocabularySize);
  for (let at = 0, pass = 0; at < tokens.length; pass += 1) {
    const part = tokens.slice(at, at + sizes[pass % sizes.length]!);
    all.set(await decoder.forward(part, cache, part.length), at * vocabularySize);
    at += part.length;
  }
  cache.release();
  return all;
}

const text = (length: number): number[] => Array.from({ length }, (_, index) => (index * 7919 + 13) % 320);
const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

const MODELS: readonly TinyModelOptions[] = [
  { architecture: 'llama', weights: 'Q4_1' },
  { architecture: 'llama', weights: 'Q4_0', heads: 4, kvHeads: 4 },
  { architecture: 'llama', weights: 'Q4_K', heads: 8, kvHeads: 1 },
  { architecture: 'llama', weights: 'Q6_K', heads: 8, kvHeads: 8 },
  { architecture: 'qwen2', weights: 'Q8_0' },
  { architecture: 'qwen2', weights: 'Q5_K', heads: 8, kvHeads: 2 },
  { architecture: 'qwen3', weights: 'F32' },
  { architecture: 'qwen3', weights: 'Q5_1' },
];
const named = MODELS.map((model) => [`${model.architecture} ${model.weights}`, model] as const);

describe('logits', () => {
  it.each(named)('of %s have the same bits whatever shares a pass', async (_name, model) => {
    const source = await read(tinyModel(model));
    const tokens = text(400);
    for (const precision of ['packed', 'float32'] as const) {
      await withDecoder(source, { precision }, async (decoder) => {
        const alone = await logitsInPasses(decoder, tokens, [1]);
        expect(alone.every(Number.isFinite)).toBe(true);
        const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 8 });
        await fc.assert(
          fc.asyncProperty(sizes, async (passes) =>
            sameBits(await logitsInPasses(decoder, tokens, passes), alone),
          ),
          { numRuns: 4, examples: [[[64]], [[2]], [[1, 31, 3]]] },
        );
      });
    }
  });

  it.each(named)('of %s have the same bits after long passes, layer by layer', async (_name, model) => {
    const source = await read(tinyModel(model));
    const tokens = text(400);
    await withDecoder(source, {}, async (decoder) => {
      const alone = await logitsInPasses(decoder, tokens, [1]);
      const cache = decoder.createCache(tokens.length);
      await decoder.forward(tokens.slice(0, 130), cache, 0);
      const found = await decoder.forward(tokens.slice(130), cache, 64);
      expect(sameBits(found.slice(), alone.slice(-found.length))).toBe(true);
      cache.truncate(330);
      const again = await decoder.forward(tokens.slice(330, 331), cache, 1);
      const { vocabularySize } = decoder.config;
      expect(sameBits(again.slice(), alone.slice(330 * vocabularySize, 331 * vocabularySize))).toBe(true);
      cache.release();
    });
  });

  it('of a long pass that is cancelled leave the cache as it was', async () => {
    await withDecoder(await read(tinyModel()), {}, async (decoder) => {
      const cache = decoder.createCache(300);
      await decoder.forward(text(60), cache, 0);
      const pass = decoder.forward(text(200), cache, 1, AbortSignal.abort());
      await expect(pass).rejects.toMatchObject({ code: 'cancelled' });
      expect(cache.position).toBe(60);
      cache.release();
    });
  });

  it.each(named)('of %s are those of plain arithmetic', async (_name, model) => {
    const source = await read(tinyModel(model));
    const tokens = text(20);
    const expected = naiveLogits(source, tokens);
    const span = Math.max(...expected.map(Math.abs));
    const distance = (found: Float32Array): number =>
      Math.max(...expected.map((value, index) => Math.abs(value - found[index]!))) / span;
    await withDecoder(source, { precision: 'float32' }, async (decoder) => {
      expect(distance(await logitsInPasses(decoder, tokens, [20]))).toBeLessThan(1e-5);
    });
    await withDecoder(source, { precision: 'packed' }, async (decoder) => {
      // Inputs of every product are rounded to 8 bits.
      expect(distance(await logitsInPasses(decoder, tokens, [20]))).toBeLessThan(0.05);
    });
  });

  it('come again when the cache is cut back', async () => {
    await withDecoder(await read(tinyModel()), {}, async (decoder) => {
      const cache = decoder.createCache(300);
      await decoder.forward(text(60), cache, 0);
      const first = (await decoder.forward([5, 6], cache, 1)).slice();
      cache.truncate(60);
      await decoder.forward([9, 9, 9], cache, 0);
      cache.truncate(60);
      expect(sameBits((await decoder.forward([5, 6], cache, 1)).slice(), first)).toBe(true);
      expect(cache.position).toBe(62);
      cache.release();
    });
  });
});

describe('SmolLM2', () => {
  // "<|im_start|>user\nWhat is gravity?<|im_end|>\n<|im_start|>assistant\n" and what llama.cpp goes on with.
  const prompt = [1, 4093, 198, 1780, 314, 9354, 47, 2, 198, 1, 520, 9531, 198];

  it('goes on as llama.cpp does', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
    const source = ggufSource(await readGguf(await smolLm2(test)));
    await withDecoder(source, {}, async (decoder) => {
      const cache = decoder.createCache(64);
      const found: number[] = [];
      let logits = await decoder.forward(prompt, cache, 1);
      while (found.length < LLAMA_CPP_REPLY.length) {
        found.push(logits.indexOf(Math.max(...logits)));
        logits = await decoder.forward(found.slice(-1), cache, 1);
      }
      cache.release();
      expect(found).toEqual(LLAMA_CPP_REPLY);
    });
  });
});

/** Greedy, node-llama-cpp 3.22.1. */
const LLAMA_CPP_REPLY = [
  22007, 6463, 314, 253, 4959, 1909, 281, 6944, 338, 6601, 260, 26589, 282, 42548, 2952, 411, 260, 4313, 282,
  2389, 30, 657, 506, 253, 4959, 2325, 282, 260, 6128, 338, 48165, 260, 2555, 282, 3401, 335, 2591, 30, 533,
  9615,
];

describe('a model that can not be run', () => {
  const { metadata, tensors } = tinyModelParts();
  const without = (name: string): TestGguf => ({
    metadata,
    tensors: tensors.filter((tensor) => tensor.name !== name),
  });
  const withEntry = (
    key: string,
    ...value: readonly [type: 'uint32' | 'string' | 'float32', value: unknown]
  ): TestGguf => ({
    metadata: [...metadata.filter(([name]) => name !== key), [key, ...value]],
    tensors,
  });
  const retyped = (name: string, typeId: number, bytes: Uint8Array): TestGguf => ({
    metadata,
    tensors: tensors.map((tensor) => (tensor.name === name ? { ...tensor, typeId, bytes } : tensor)),
  });

  it.each<readonly [string, TestGguf, RegExp]>([
    [
      'architecture',
      withEntry('general.architecture', 'string', 'mamba'),
      /architecture 'mamba' can't be run; llama, mistral, qwen2, qwen3 can/,
    ],
    ['experts', withEntry('llama.expert_count', 'uint32', 8), /mixtures of experts can not be run/],
    [
      'sliding window',
      withEntry('llama.attention.sliding_window', 'uint32', 128),
      /sliding window of 128 tokens/,
    ],
    [
      'rope scaling',
      withEntry('llama.rope.scaling.type', 'string', 'yarn'),
      /rope scaling 'yarn' can't be used; none and linear can/,
    ],
    ['heads', withEntry('llama.attention.head_count', 'uint32', 5), /a multiple of the 2 key heads, found 5/],
    [
      'layers',
      withEntry('llama.block_count', 'uint32', 1_000_000),
      /'llama.block_count': expected 1 to 1024, found 1000000/,
    ],
    [
      'wide heads',
      {
        metadata: metadata.map((entry) =>
          /[.](key|value)_length$/.test(entry[0]) ? ([entry[0], 'uint32', 160] as const) : entry,
        ),
        tensors,
      },
      /attention heads are 160 wide; up to 128 can be run/,
    ],
    [
      'shape',
      withEntry('llama.feed_forward_length', 'uint32', 256),
      /tensor 'blk.0.ffn_gate.weight': expected shape \[256, 256\], found \[512, 256\]/,
    ],
    [
      'missing tensor',
      without('blk.1.ffn_up.weight'),
      /expected a tensor 'blk.1.ffn_up.weight' \[512, 256\], found none/,
    ],
    ['missing embedding', without('token_embd.weight'), /expected a tensor 'token_embd.weight', found none/],
    [
      'more layers than tensors',
      withEntry('llama.block_count', 'uint32', 4),
      /expected a tensor 'blk.3.attn_norm.weight' \[256\], found none/,
    ],
    [
      'tensors of no known part',
      withEntry('llama.block_count', 'uint32', 2),
      /has no tensor 'blk.2.attn_norm.weight'; the model has parts that can't be run/,
    ],
    [
      'quantisation',
      retyped('blk.0.ffn_down.weight', 10, new Uint8Array((256 * 512 * 84) / 256)),
      /'blk.0.ffn_down.weight' is quantised as Q2_K, which can't be read. F32, F16/,
    ],
  ])('names its %s', async (_name, file, message) => {
    const opened = read(ggufBytes(file)).then((model) => Decoder.open(model, environment));
    await expect(opened).rejects.toThrow(message);
  });

  it('is let go of when loading is cancelled', async () => {
    const source = await read(tinyModel());
    await expect(Decoder.open(source, environment, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('refuses tokens it does not have', async () => {
    await withDecoder(await read(tinyModel()), {}, async (decoder) => {
      const cache = decoder.createCache(8);
      await expect(decoder.forward([320], cache, 1)).rejects.toThrow(
        /Expected tokens of 0 to 319, found 320/,
      );
      await expect(decoder.forward([], cache, 0)).rejects.toThrow(/A pass of 0 tokens/);
      cache.release();
    });
  });
});
