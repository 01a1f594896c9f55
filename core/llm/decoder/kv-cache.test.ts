import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from 'vitest';

import { OrtEnvironment } from '../../ort';
import { openLanguageModel } from '../language-model';
import { tinyChatModel } from '../test-support/tiny-chat-model';
import { CACHE_STEP_ROWS } from './cache-step';

it('a cache that grows keeps every bit of what it holds', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-cache-'));
  const file = path.join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel());
  const environment = OrtEnvironment.open({ threads: 1 });
  const { decoder, close } = await openLanguageModel(file, environment);
  const tokens = Array.from({ length: 3 * CACHE_STEP_ROWS }, (_, index) => (index * 37) % 256);
  const large = decoder.createCache(tokens.length);
  const grown = decoder.createCache(1);
  expect(grown.capacity).toBe(CACHE_STEP_ROWS);
  const sizes: number[] = [];
  for (const [index, token] of tokens.entries()) {
    grown.grow(index + 1);
    sizes.push(grown.byteLength);
    const expected = Float32Array.from(await decoder.forward([token], large, 1));
    expect(await decoder.forward([token], grown, 1)).toEqual(expected);
  }
  grown.grow(1);
  expect(grown.capacity).toBe(large.capacity);
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  for (const cache of [large, grown]) cache.release();
  close();
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});
