import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';

import { gaussian, seededRandom } from '../../base';
import { OrtEnvironment } from '../../ort';
import { TestPass } from '../../vericache/test-support/pass';
import { CACHE_STEP_ROWS } from './cache-step';
import { FusedAttention } from './fused-attention';
import { LayerRows } from './kv-cache';

const environment = OrtEnvironment.open({ threads: 2 });
afterAll(() => environment.close());

const shapes = fc.record({
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 4 }),
  headDim: fc.constantFrom(8, 16, 64),
});

it('gives what a sum over the rows gives, and leaves every row as it was', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 0, max: 300 }), fc.integer(), (sizes, before, seed) => {
      const shape = { heads: sizes.kvHeads * sizes.group, kvHeads: sizes.kvHeads, headDim: sizes.headDim };
      const random = seededRandom(seed);
      const draw = (length: number): Float32Array => Float32Array.from({ length }, () => gaussian(random));
      const capacity = Math.ceil((before + 1) / CACHE_STEP_ROWS) * CACHE_STEP_ROWS;
      const rows = new LayerRows(environment, shape, capacity);
      for (const kind of [0, 1] as const) {
        for (let head = 0; head < shape.kvHeads; head += 1) {
          rows.rows(kind, head, 0, capacity).set(draw(capacity * shape.headDim));
        }
      }
      const kept = rows.memory.bytes.slice();
      const queries = draw(shape.heads * shape.headDim);
      const test = new TestPass(environment, 1, queries);
      const attention = new FusedAttention(environment, shape);
      // Twice: what is bound once is used again.
      for (let turn = 0; turn < 2; turn += 1) {
        test.attended.fill(0);
        attention.run(test.pass, rows, before);
        const expected = weightedSums(shape, queries, rows, before + 1);
        const distances = expected.map((value, index) => Math.abs(value - test.attended[index]!));
        expect(Math.max(...distances)).toBeLessThan(1e-5);
      }
      expect(Buffer.compare(kept, rows.memory.bytes)).toBe(0);
      attention.release();
      test.release();
      rows.release();
    }),
    { numRuns: 25 },
  );
});

interface Shape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Softmax of scaled scores, times values: in doubles, head by head. */
function weightedSums(
  { heads, kvHeads, headDim }: Shape,
  queries: Float32Array,
  rows: LayerRows,
  count: number,
): number[] {
  const group = heads / kvHeads;
  return Array.from({ length: heads }, (_, head) => {
    const keys = rows.rows(0, Math.floor(head / group), 0, count);
    const values = rows.rows(1, Math.floor(head / group), 0, count);
    const query = queries.subarray(head * headDim, (head + 1) * headDim);
    const scores = Array.from({ length: count }, (_row, row) =>
      query.reduce((sum, value, index) => sum + value * keys[row * headDim + index]!, 0),
    ).map((score) => score / Math.sqrt(headDim));
    const largest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return Array.from({ length: headDim }, (_value, index) =>
      weights.reduce((sum, weight, row) => sum + (weight / total) * values[row * headDim + index]!, 0),
    );
  }).flat();
}
