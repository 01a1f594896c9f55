import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { minimumBudget, residentTotalBytes } from './plan';
import { BenchTop, infer } from './test-support/bench-top';
import { randomNetwork, type RandomShape } from './test-support/networks';
import { expectSameBits, inputsFor } from './test-support/tensors';

let bench: BenchTop;
beforeAll(async () => {
  bench = await BenchTop.open();
});
afterAll(() => bench.close());

const channels = fc.constantFrom(16, 50, 64, 96, 128, 136, 200, 256);
const widths = fc.constantFrom(10, 33, 250, 500, 512, 1000, 2047);
const shapes: fc.Arbitrary<RandomShape> = fc.record({
  seed: fc.integer({ min: 1, max: 1000 }),
  channels: fc.array(channels, { minLength: 0, maxLength: 4 }),
  widths: fc.array(widths, { minLength: 1, maxLength: 3 }),
  side: fc.constantFrom(1, 3, 7, 20),
  residual: fc.boolean(),
});

describe('random networks', () => {
  it('give the same bits under any budget, in any mode', async () => {
    const settings = fc.record({
      shape: shapes,
      budgets: fc.array(
        fc.tuple(fc.constantFrom('async', 'sync', 'sequential'), fc.double({ min: 0, max: 1, noNaN: true })),
        {
          minLength: 2,
          maxLength: 3,
        },
      ),
    });
    await fc.assert(
      fc.asyncProperty(settings, async ({ shape, budgets }) => {
        const store = await bench.compile(randomNetwork(shape));
        const inputs = [1, 2].map((seed) => inputsFor(store.manifest.inputs, seed));
        const resident = await bench.load(store, 'resident');
        const right = [];
        for (const item of inputs) right.push(await infer(resident, item));
        await resident.close();
        for (const [mode, share] of budgets) {
          const least = minimumBudget(store.manifest, mode);
          const most = Math.max(least, residentTotalBytes(store.manifest));
          const model = await bench.load(store, mode, Math.floor(least + share * (most - least)));
          for (let round = 0; round < 2; round += 1) {
            for (const [at, item] of inputs.entries()) expectSameBits(await infer(model, item), right[at]!);
          }
          await model.close();
        }
      }),
      { numRuns: 15, seed: 20_220_404 },
    );
  });
});
