import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base';
import { ChunkSum } from './chunk-sum';

const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
const bytes = new Uint8Array(memory.buffer);
const words = new Int32Array(memory.buffer);
const chunk = new ChunkSum(memory);
const LENGTH = 4096;
const BITS = LENGTH * 8;

function fillRandom(seed: number): void {
  const random = seededRandom(seed);
  for (let at = 0; at < words.length; at += 1) words[at] = random() * 2 ** 32;
}

function flip(bit: number): void {
  words[bit >> 5] = words[bit >> 5]! ^ (1 << (bit & 31));
}

/** The formula of the sum's description, word by word. */
function slowSum(offset: number, byteLength: number): bigint {
  const factor = 0x9e3779b1;
  const state = Array.from({ length: 8 }, (_, k) =>
    [1, 2, 3, 4].map((lane) => Math.imul(factor, 4 * k + lane)),
  );
  for (let at = offset / 4; at < (offset + byteLength) / 4; at += 32) {
    for (let k = 7; k >= 0; k -= 1) {
      const before = new Uint8Array(Int32Array.from(state[(k + 7) % 8]!).buffer);
      const rotated = new Int32Array(Uint8Array.from(before, (_, i) => before[(i + 7) % 16]!).buffer);
      state[k] = state[k]!.map(
        (word, lane) => Math.imul(word ^ words[at + 4 * k + lane]!, factor) + rotated[lane]!,
      );
    }
  }
  let folded = 0n;
  for (const lane of new BigUint64Array(Int32Array.from(state.flat()).buffer)) {
    folded = BigInt.asUintN(64, (folded ^ lane) * 0x9e3779b97f4a7c15n);
    folded ^= folded >> 32n;
  }
  return folded;
}

describe('the sum of a chunk', () => {
  it('is the one of its description', () => {
    fillRandom(1);
    for (const [offset, byteLength] of [
      [0, 128],
      [16, 256],
      [4096, LENGTH],
      [65_536, 65_536],
    ] as const) {
      expect(chunk.sum(offset, byteLength)).toBe(slowSum(offset, byteLength));
    }
    bytes.fill(0);
    expect(chunk.sum(0, LENGTH)).toBe(slowSum(0, LENGTH));
  });

  it('never takes the zeros of a hole for another number of zeros', () => {
    bytes.fill(0);
    const sums = Array.from({ length: 64 }, (_, stripes) => chunk.sum(0, 128 * (stripes + 1)));
    expect(new Set(sums).size).toBe(64);
    expect(sums).not.toContain(0n);
  });

  it.each([
    ['random content', () => fillRandom(2)],
    ['zeros', () => bytes.fill(0)],
    ['ones', () => bytes.fill(255)],
  ])('changes with every single bit of %s', (_, fill) => {
    fill();
    const before = chunk.sum(0, LENGTH);
    let missed = 0;
    for (let bit = 0; bit < BITS; bit += 1) {
      flip(bit);
      if (chunk.sum(0, LENGTH) === before) missed += 1;
      flip(bit);
    }
    expect(missed).toBe(0);
  });

  it('changes with two to eight bits near each other, and with swapped pieces', () => {
    const bit = fc.integer({ min: 0, max: 4 * 1024 - 1 });
    fc.assert(
      fc.property(fc.integer(), fc.uniqueArray(bit, { minLength: 2, maxLength: 8 }), (seed, bits) => {
        fillRandom(seed);
        const before = chunk.sum(0, LENGTH);
        bits.forEach(flip);
        return chunk.sum(0, LENGTH) !== before;
      }),
    );
    const stripe = fc.integer({ min: 0, max: LENGTH / 128 - 1 });
    fc.assert(
      fc.property(fc.integer(), stripe, stripe, (seed, a, b) => {
        fillRandom(seed);
        const before = chunk.sum(0, LENGTH);
        const first = bytes.slice(128 * a, 128 * (a + 1));
        bytes.copyWithin(128 * a, 128 * b, 128 * (b + 1));
        bytes.set(first, 128 * b);
        return (chunk.sum(0, LENGTH) === before) === (a === b);
      }),
    );
  });

  it('spreads differences over all of its bits: halves of it collide as rarely as random numbers', () => {
    fillRandom(3);
    const random = seededRandom(4);
    const before = chunk.sum(0, LENGTH);
    const trials = 100_000;
    let low = 0;
    let high = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const bits = new Set(Array.from({ length: 3 }, () => Math.floor(random() * BITS)));
      bits.forEach(flip);
      const difference = chunk.sum(0, LENGTH) ^ before;
      if ((difference & 0xfffn) === 0n) low += 1;
      if (difference >> 52n === 0n) high += 1;
      bits.forEach(flip);
    }
    // 12 bits agree by chance once in 4096: 24 times expected, with a standard deviation of 5.
    for (const count of [low, high]) expect(count).toBeLessThan(60);
  });
});
