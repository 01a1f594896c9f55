import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { heapBytes } from '../../ort';
import { Decoder } from '../decoder/decoder';
import { ggufSource } from '../gguf/gguf-source';
import { readGguf } from '../gguf/read-gguf';
import { TensorReader } from '../source/tensor-reader';
import { smolLm2, SMOLLM2_SET_UP_MS } from '../test-support/smollm2';
import { tinyModel, type TinyModelOptions } from '../test-support/tiny-model';
import { openSteps } from './open-steps';
import { StreamedSteps } from './streamed-steps';
import { logits, text, useStreamedGround } from './test-support/streamed-ground';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const ground = useStreamedGround();

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
      const source = await ground.read(tinyModel(model));
      for (const precision of ['packed', 'float32'] as const) {
        const storeFolder = ground.newStore();
        const resident = await ground.withDecoder(source, { precision }, logits);
        const budgetBytes = await ground.leastBudget(source, storeFolder, { precision });
        await ground.withDecoder(
          source,
          { precision, weights: { budgetBytes, storeFolder } },
          async (decoder) => {
            const { streamedBytesPerPass, residentBytes, ringBytes, sessionBytes } = decoder.weightMemory();
            expect(streamedBytesPerPass).toBeGreaterThan(0);
            expect(residentBytes + ringBytes + sessionBytes).toBeLessThanOrEqual(budgetBytes);
            expect((await logits(decoder)).equals(resident)).toBe(true);
            expect((await logits(decoder)).equals(resident)).toBe(true);
          },
        );
      }
    },
  );
});

describe('under any budget', () => {
  it('a decoder gives the same bits within it, or says what is the least', async () => {
    const { source, storeFolder, expected, budgetBytes: least } = await ground.streamed();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 * least }), async (budgetBytes) => {
        const opening = Decoder.open(source, ground.environment, { weights: { budgetBytes, storeFolder } });
        const decoder = await opening.catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'budget-too-small', details: { minimumBytes: least } });
        });
        expect(decoder !== undefined).toBe(budgetBytes >= least);
        if (!decoder) return;
        const { residentBytes, ringBytes, sessionBytes } = decoder.weightMemory();
        expect(residentBytes + ringBytes + sessionBytes).toBeLessThanOrEqual(budgetBytes);
        expect((await logits(decoder)).equals(expected)).toBe(true);
        decoder.close();
      }),
      { numRuns: 12, examples: [[least], [least - 1]] },
    );
  });

  it('two decoders stream from one store at once', async () => {
    const { source, storeFolder, expected, budgetBytes } = await ground.streamed();
    const weights = { budgetBytes, storeFolder };
    const found = await Promise.all([0, 1].map(() => ground.withDecoder(source, { weights }, logits)));
    for (const bits of found) expect(bits.equals(expected)).toBe(true);
  });

  it('passes that are given up leave the next one as it would be', async () => {
    const { source, storeFolder, expected, budgetBytes } = await ground.streamed();
    await ground.withDecoder(source, { weights: { budgetBytes, storeFolder } }, async (decoder) => {
      const cache = decoder.createCache(512);
      for (const turns of [0, 1, 2, 4, 7]) {
        const stop = new AbortController();
        const pass = decoder.forward(text(400), cache, 1, stop.signal);
        const ended = expect(pass).rejects.toMatchObject({ code: 'cancelled' });
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        stop.abort();
        await ended;
        expect(cache.position).toBe(0);
      }
      cache.release();
      expect((await logits(decoder)).equals(expected)).toBe(true);
    });
  });

  it('a decoder that is closed in the middle ends its pass', async () => {
    const { source, storeFolder, budgetBytes } = await ground.streamed();
    const decoder = await Decoder.open(source, ground.environment, { weights: { budgetBytes, storeFolder } });
    const cache = decoder.createCache(8);
    const pass = decoder.forward([1], cache, 1);
    decoder.close();
    await expect(pass).rejects.toMatchObject({ code: 'cancelled' });
    cache.release();
  });

  it('nothing stays behind: sessions, given up and not, and what was made ahead', async () => {
    const { source, storeFolder, budgetBytes } = await ground.streamed();
    const turn = async (): Promise<void> => {
      const reader = new TensorReader(source);
      const { config } = source;
      const options = { config, precision: 'packed', budgetBytes, storeFolder } as const;
      const steps = await openSteps(source, reader, ground.environment, options);
      for (let step = 0; step < 3; step += 1) {
        await steps.acquire(step);
        steps.release(step);
      }
      steps.endPass();
      await steps.acquire(0);
      steps.close();
      if (steps instanceof StreamedSteps) await steps.ended();
      reader.close();
    };
    const used = async (rounds: number): Promise<number> => {
      for (let round = 0; round < rounds; round += 1) await turn();
      collectGarbage();
      return heapBytes() ?? 0;
    };
    await used(3);
    const before = await used(3);
    // A session left behind would be 400 KB, twelve times; koffi leaves some 20 KB for each thread that loads it.
    // A thread that has just ended may hold a MB for a moment more.
    const after = [await used(12), await used(1), await used(1), await used(1)];
    expect(Math.min(...after) - before).toBeLessThan(3 << 20);
  });

  it('SmolLM2 gives the bits it has in memory', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
    const source = ggufSource(await readGguf(await smolLm2(test)));
    const bits = async (decoder: Decoder): Promise<Buffer> => {
      const cache = decoder.createCache(16);
      const first = Buffer.from((await decoder.forward(text(9), cache, 9)).slice().buffer);
      const next = Buffer.from((await decoder.forward([7], cache, 1)).slice().buffer);
      cache.release();
      return Buffer.concat([first, next]);
    };
    const expected = await ground.withDecoder(source, {}, bits);
    const weights = { budgetBytes: 50_000_000, storeFolder: join(ground.folder, 'smollm2') };
    const found = await ground.withDecoder(source, { weights }, async (decoder) => {
      expect(decoder.weightMemory().streamedBytesPerPass).toBeGreaterThan(40_000_000);
      return bits(decoder);
    });
    expect(found.equals(expected)).toBe(true);
  });
});
