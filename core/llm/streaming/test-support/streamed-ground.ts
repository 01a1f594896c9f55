import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll } from 'vitest';

import { failureOf } from '../../../contract/test-support/failure-of';
import { OrtEnvironment } from '../../../ort';
import { Decoder, type DecoderOptions } from '../../decoder/decoder';
import { ggufSource } from '../../gguf/gguf-source';
import { readGguf } from '../../gguf/read-gguf';
import type { ModelSource } from '../../source/model-source';
import { tinyModel } from '../../test-support/tiny-model';

/** A small model of which every weight streams. */
export interface Streamed {
  readonly source: ModelSource;
  readonly storeFolder: string;
  /** The least there is. */
  readonly budgetBytes: number;
  /** Its `logits` with all weights in memory. */
  readonly expected: Buffer;
}

/** Tokens of a text, always the same. */
export const text = (length: number): number[] =>
  Array.from({ length }, (_, index) => (index * 7919 + 13) % 320);

/** Bits of the logits of passes of 1, 8, 70, 2 and again 1 tokens. */
export async function logits(decoder: Decoder): Promise<Buffer> {
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

/** A runtime and a folder for all tests of a file; called once, outside of them. */
export function useStreamedGround(): StreamedGround {
  const ground = new StreamedGround();
  beforeAll(() => ground.open());
  afterAll(() => ground.close());
  return ground;
}

export class StreamedGround {
  folder = '';
  environment!: OrtEnvironment;
  private files = 0;

  open(): void {
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-streaming-'));
    this.environment = OrtEnvironment.open({ threads: 2 });
  }

  close(): void {
    this.environment.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A folder for a store that is not there yet. */
  newStore(): string {
    return join(this.folder, `${this.files++}-store`);
  }

  async read(bytes: Uint8Array): Promise<ModelSource> {
    const file = join(this.folder, `${this.files++}.gguf`);
    writeFileSync(file, bytes);
    return ggufSource(await readGguf(file));
  }

  async withDecoder<T>(
    source: ModelSource,
    options: DecoderOptions,
    use: (decoder: Decoder) => Promise<T>,
  ): Promise<T> {
    const decoder = await Decoder.open(source, this.environment, options);
    try {
      return await use(decoder);
    } finally {
      decoder.close();
    }
  }

  /** Least bytes that weights can be given. */
  async leastBudget(source: ModelSource, storeFolder: string, options: DecoderOptions): Promise<number> {
    const weights = { budgetBytes: 1, storeFolder };
    const failure = await failureOf(Decoder.open(source, this.environment, { ...options, weights }));
    if (failure.code !== 'budget-too-small') throw failure;
    return Number(failure.details['minimumBytes']);
  }

  async streamed(): Promise<Streamed> {
    const source = await this.read(tinyModel());
    const storeFolder = this.newStore();
    const expected = await this.withDecoder(source, {}, logits);
    return { source, storeFolder, expected, budgetBytes: await this.leastBudget(source, storeFolder, {}) };
  }
}
