import { describe, expect, it } from 'vitest';
import {
  allCompressors,
  compressorNamed,
  dropCompressor,
  registerCompressor,
  type DropScheme,
} from '../index';
import { COMPRESSORS } from './index';

describe('the compressors', () => {
  it('are found by name, each with the paper it is from', () => {
    expect(COMPRESSORS.map(({ name }) => name)).toEqual([
      'snapkv',
      'pyramidkv',
      'h2o',
      'knorm',
      'keydiff',
      'streamingllm',
      'int8',
      'kivi4',
      'kivi2',
    ]);
    for (const compressor of COMPRESSORS) {
      expect(compressorNamed(compressor.name)).toBe(compressor);
      expect(compressor.source).toMatch(/arXiv \d{4}\.\d{5}/);
      expect(compressor.fixedRatio !== undefined).toBe(compressor.kind === 'quantise');
    }
  });

  it('are named where one is not known', () => {
    expect(() => compressorNamed('gzip')).toThrow(
      'No compressor is called "gzip"; there are snapkv, pyramidkv, h2o, knorm, keydiff, streamingllm, int8, kivi4, kivi2',
    );
  });

  it('may be joined by others', () => {
    const scheme: DropScheme = {
      name: 'my-own',
      title: 'Every other token',
      source: 'nowhere',
      observes: 'nothing',
      score: (_observation, _head, scores) => scores.forEach((_, token) => (scores[token] = token % 2)),
    };
    const own = dropCompressor(scheme);
    registerCompressor(own);
    expect(compressorNamed('my-own')).toBe(own);
    expect(allCompressors().at(-1)).toBe(own);
    expect(() => registerCompressor(own)).toThrow('A compressor called "my-own" is there already');
    expect(() => registerCompressor({ ...own, name: 'My Own' })).toThrow(
      'A compressor\'s name has small letters, digits and hyphens; found "My Own".',
    );
  });

  it.each(COMPRESSORS.filter(({ kind }) => kind === 'quantise'))(
    '$name has one ratio only',
    ({ name, fixedRatio, cacheBytes }) => {
      const options = { shape: { heads: 9, kvHeads: 3, headDim: 64 }, layers: 30, maxTokens: 8192 };
      expect(cacheBytes({ ...options, ratio: fixedRatio! })).toBeGreaterThan(0);
      expect(() => cacheBytes({ ...options, ratio: 5 })).toThrow(
        `${name} makes the cache ${fixedRatio} times smaller; a ratio of 5 can't be asked of it.`,
      );
    },
  );

  it.each([
    [8192, 'snapkv', 4, 4],
    [8192, 'pyramidkv', 4, 4],
    [8192, 'knorm', 8, 8],
    [4096, 'h2o', 4, 4],
    // Room for new tokens, and hardly any kept: the least there is.
    [1024, 'streamingllm', 4, 2.67],
    [8192, 'int8', 3.76, 3.65],
    [8192, 'kivi4', 6.74, 5.1],
    [8192, 'kivi2', 10.67, 7.1],
    [32_768, 'kivi4', 6.74, 6.2],
    [32_768, 'kivi2', 10.67, 9.5],
  ])('of SmolLM2 at %d tokens: %s asked for %d times less takes %d times less', (...row) => {
    const [maxTokens, name, ratio, real] = row;
    const options = { shape: { heads: 9, kvHeads: 3, headDim: 64 }, layers: 30, maxTokens };
    const fullBytes = 30 * 2 * 3 * 64 * 4 * maxTokens;
    expect(fullBytes / compressorNamed(name).cacheBytes({ ...options, ratio })).toBeCloseTo(real, 1);
  });
});
