import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openLanguageModel, type Decoder, type LanguageModel } from '../../llm';
import { tinyChatModel } from '../../llm/test-support/tiny-chat-model';
import { OrtEnvironment } from '../../ort';
import type { CompressedCache, Compressor } from '../compressor';
import { FullRows } from '../test-support/full-rows';
import { COMPRESSORS } from './index';

let folder: string;
let environment: OrtEnvironment;
let model: LanguageModel;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-compressors-'));
  const file = path.join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel({ contextLength: 2048 }));
  environment = OrtEnvironment.open({ threads: 2 });
  // Packed weights round activations, which makes steps of the least differences.
  model = await openLanguageModel(file, environment, { precision: 'float32' });
});
afterAll(() => {
  model.close();
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

const MAX_TOKENS = 1600;
/** What the fused operator, which attends for single tokens, differs by. */
const FUSED = 1e-4;

function cacheOf(compressor: Compressor, ratio: number): CompressedCache {
  const { attention, config } = model.decoder;
  const { layers } = config;
  const { shape } = attention;
  const options = { shape, layers, maxTokens: MAX_TOKENS, ratio: compressor.fixedRatio ?? ratio };
  const cache = compressor.createCache({ ...options, environment, attention });
  expect(cache.byteLength).toBe(compressor.cacheBytes(options));
  return cache;
}

/** A text in a full cache and in a compressed one, and what a round does with them. */
class Conversation {
  readonly full: FullRows;

  constructor(
    readonly compressed: CompressedCache,
    private readonly decoder: Decoder,
  ) {
    this.full = new FullRows(environment, decoder.attention, decoder.config.layers, MAX_TOKENS);
  }

  tokens(from: number, to: number): number[] {
    const { vocabularySize } = this.decoder.config;
    return Array.from({ length: to - from }, (_, index) => ((from + index) * 7919 + 13) % vocabularySize);
  }

  /** The full cache takes tokens in up to `position`; attention is observed. */
  async read(position: number): Promise<void> {
    this.full.observing = true;
    await this.decoder.forward(this.tokens(this.full.position, position), this.full, 0);
    this.full.observing = false;
  }

  compress(): void {
    for (let layer = 0; layer < this.decoder.config.layers; layer += 1) {
      this.compressed.compress(this.full.observation(layer));
    }
    this.compressed.restart(this.full.position);
  }

  /** One token at a time over the compressed cache; @returns logits of each. */
  async draft(tokens: readonly number[]): Promise<Float32Array> {
    const rows: number[] = [];
    for (const token of tokens) rows.push(...(await this.decoder.forward([token], this.compressed, 1)));
    return Float32Array.from(rows);
  }

  /** Logits over the full cache, which then forgets the tokens. */
  async fullLogits(tokens: readonly number[]): Promise<Float32Array> {
    const { position } = this.full;
    const logits = (await this.decoder.forward(tokens, this.full, tokens.length)).slice();
    this.full.truncate(position);
    return logits;
  }

  /** The next tokens go through the full cache; what it holds of them takes the place of a draft's. */
  async verify(count: number): Promise<void> {
    const from = this.full.position;
    this.compressed.truncate(from);
    await this.read(from + count);
    for (let layer = 0; layer < this.decoder.config.layers; layer += 1) {
      const stored = [0, 1] as const;
      const [keys, values] = stored.map((kind) => this.full.stored(layer, kind, from, from + count));
      this.compressed.store(layer, 0, keys!, values!);
    }
    this.compressed.advance(count);
  }

  release(): void {
    this.full.release();
    this.compressed.release();
  }
}

const bytesOf = (values: Float32Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** How far apart, beside how far the expected ones are from their mean. */
function distance(found: Float32Array, expected: Float32Array): number {
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  const squares = (of: (index: number) => number): number =>
    expected.reduce((sum, _, index) => sum + of(index) ** 2, 0);
  return Math.sqrt(
    squares((index) => found[index]! - expected[index]!) / squares((index) => expected[index]! - mean),
  );
}

describe.each(COMPRESSORS)('$name', (compressor) => {
  // The model's weights are random: it looks everywhere, and misses whatever was dropped.
  const near = { int8: 0.04, kivi4: 0.35, kivi2: 1.3 }[compressor.name] ?? 2;

  it('keeps all of a short text', async () => {
    const conversation = new Conversation(cacheOf(compressor, 1.2), model.decoder);
    await conversation.read(130);
    conversation.compress();
    const next = conversation.tokens(130, 150);
    const expected = await conversation.fullLogits(next);
    const found = await conversation.draft(next);
    expect(conversation.compressed.position).toBe(150);
    expect(conversation.compressed.keptTokens(0)).toBe(150);
    const most = { int8: near, kivi4: 0, kivi2: 0 }[compressor.name] ?? FUSED;
    expect(distance(found, expected)).toBeLessThanOrEqual(most);
    conversation.release();
  });

  it('drafts, is cut back, takes verified tokens and is made anew', async () => {
    const conversation = new Conversation(cacheOf(compressor, 3), model.decoder);
    const { compressed } = conversation;
    await conversation.read(700);
    conversation.compress();
    const next = conversation.tokens(700, 712);
    const expected = await conversation.fullLogits(next);
    const first = await conversation.draft(next);
    expect(distance(first, expected)).toBeLessThan(near);
    compressed.truncate(700);
    expect(bytesOf(await conversation.draft(next)).equals(bytesOf(first))).toBe(true);

    let compressions = 0;
    while (conversation.full.position < 1500) {
      const at = conversation.full.position;
      await conversation.draft(conversation.tokens(at, at + 7));
      await conversation.verify(40);
      expect(compressed.position).toBe(at + 40);
      if (compressed.hasRoom(128)) continue;
      conversation.compress();
      compressions += 1;
    }
    expect(compressions > 0).toBe(compressor.kind === 'drop');
    const last = conversation.tokens(1500, 1504);
    const wanted = await conversation.fullLogits(last);
    compressed.truncate(conversation.full.position);
    expect(distance(await conversation.draft(last), wanted)).toBeLessThan(near);
    conversation.release();
  });

  it('gives several tokens of a pass what it gives each alone', async () => {
    const conversation = new Conversation(cacheOf(compressor, 3), model.decoder);
    await conversation.read(700);
    conversation.compress();
    const next = conversation.tokens(700, 709);
    const alone = await conversation.draft(next);
    conversation.compressed.truncate(700);
    const together = await model.decoder.forward(next, conversation.compressed, next.length);
    // Rounding by the largest of a pass's own queries differs; one token goes into the other's rows with its bits.
    expect(distance(together, alone)).toBeLessThan(compressor.kind === 'drop' ? FUSED : 0.05);
    conversation.release();
  });

  it('can not go back behind what was compressed, nor begin where a layer was not', async () => {
    const conversation = new Conversation(cacheOf(compressor, 3), model.decoder);
    await conversation.read(200);
    conversation.compress();
    expect(() => conversation.compressed.truncate(199)).toThrow(
      "A cache compressed at 200 tokens can't go back to 199.",
    );
    expect(() => conversation.compressed.restart(201)).toThrow(
      "A layer compressed at 200 tokens can't restart at 201.",
    );
    conversation.release();
  });

  it('frees every tensor', async () => {
    const made = vi.spyOn(environment.api, 'check');
    const freed = vi.spyOn(environment.api, 'release');
    const count = (calls: readonly (readonly unknown[])[], name: string): number =>
      calls.filter(([called]) => called === name).length;
    // The decoder's own tensors and its attention's mask live on: all that the text needs exist after a first time.
    for (let round = 0; round < 2; round += 1) {
      made.mockClear();
      freed.mockClear();
      const conversation = new Conversation(cacheOf(compressor, 3), model.decoder);
      await conversation.read(700);
      conversation.compress();
      await conversation.draft(conversation.tokens(700, 703));
      conversation.release();
    }
    expect(count(made.mock.calls, 'CreateTensorWithDataAsOrtValue')).toBeGreaterThan(0);
    expect(count(freed.mock.calls, 'ReleaseValue')).toBe(
      count(made.mock.calls, 'CreateTensorWithDataAsOrtValue'),
    );
    expect(count(freed.mock.calls, 'ReleaseSession')).toBe(count(made.mock.calls, 'CreateSessionFromArray'));
    vi.restoreAllMocks();
  });
});
