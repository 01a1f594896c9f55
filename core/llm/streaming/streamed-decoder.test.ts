import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { OrtEnvironment } from '../../ort';
import { Decoder, type DecoderOptions } from '../decoder/decoder';
import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import type { ModelSource } from '../source/model-source';
import { tinyModel, type TinyModelOptions } from '../test-support/tiny-model';

let folder: string;
let environment: OrtEnvironment;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-streaming-'));
  environment = OrtEnvironment.open({ threads: 2 });
});
afterAll(() => {
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
async function read(bytes: Uint8Array): Promise<ModelSource> {
  const file = join(folder, `${files++}.gguf`);
  writeFileSync(file, bytes);
  return ggufSource(await readGguf(file));
}

const text = (length: number): number[] => Array.from({ length }, (_, index) => (index * 7919 + 13) % 320);

/** Logits of passes of 1, 8, 70 and again 1 tokens. */
async function logits(decoder: Decoder): Promise<Buffer> {
  const cache = decoder.createCache(128);
  const parts: Buffer[] = [];
  let at = 0;
  for (const [count, rows] of [
    [1, 1],
    [8, 8],
    [70, 3],
    [2, 0],
    [1, 1],
  ] as const) {
    const found = await decoder.forward(text(128).slice(at, at + count), cache, rows);
    parts.push(Buffer.from(found.slice().buffer));
    at += count;
  }
  cache.release();
  return Buffer.concat(parts);
}

async function withDecoder<T>(
  source: ModelSource,
  options: DecoderOptions,
  use: (decoder: Decoder) => Promise<T>,
): Promise<T> {
  const decoder = await Decoder.open(source, environment, options);
  try {
    return await use(decoder);
  } finally {
    decoder.close();
  }
}

async function leastBudget(
  source: ModelSource,
  storeFolder: string,
  options: DecoderOptions,
): Promise<number> {
  const failed = await Decoder.open(source, environment, {
    ...options,
    weights: { budgetBytes: 1, storeFolder },
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 'budget-too-small' });
  return Number((failed as SluiceError).details['minimumBytes']);
}

const MODELS: readonly TinyModelOptions[] = [
  { architecture: 'llama', weights: 'Q4_1' },
  { architecture: 'llama', weights: 'Q6_K', heads: 8, kvHeads: 8 },
  { architecture: 'qwen2', weights: 'Q8_0' },
  { architecture: 'qwen3', weights: 'F32' },
];

describe('a decoder whose weights stream', () => {
  it.each(MODELS.map((model) => [`${model.architecture} ${model.weights}`, model] as const))(
    'of %s gives the bits of one in memory',
    async (_name, model) => {
      const source = await read(tinyModel(model));
      for (const precision of ['packed', 'float32'] as const) {
        const storeFolder = join(folder, `${files}-${precision}`);
        const resident = await withDecoder(source, { precision }, logits);
        const budgetBytes = await leastBudget(source, storeFolder, { precision });
        await withDecoder(source, { precision, weights: { budgetBytes, storeFolder } }, async (decoder) => {
          const { streamedBytesPerPass, residentBytes, ringBytes, sessionBytes } = decoder.weightMemory();
          expect(streamedBytesPerPass).toBeGreaterThan(0);
          expect(residentBytes + ringBytes + sessionBytes).toBeLessThanOrEqual(budgetBytes);
          expect((await logits(decoder)).equals(resident)).toBe(true);
          expect((await logits(decoder)).equals(resident)).toBe(true);
        });
      }
    },
  );
});
