import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../onnx';
import { fillLightGraph } from '../zoo';
import { minimumBudget } from './plan';
import { BenchTop, infer } from './test-support/bench-top';
import { referenceOutputs } from './test-support/reference';
import { expectClose, expectSameBits, inputsFor } from './test-support/tensors';

const folder = join(
  process.env['SLUICE_SHARED'] ?? join(import.meta.dirname, '../../../shared'),
  'models/light',
);
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.onnx')) : [];
if (files.length === 0) {
  console.warn(
    `Published graphs are not run: ${folder} is absent; set SLUICE_SHARED to the folder above it.`,
  );
}

let bench: BenchTop;
beforeAll(async () => {
  bench = await BenchTop.open();
});
afterAll(() => bench.close());

/** Weights as large as the real ones take their time. */
const TIMEOUT_MS = 180_000;

describe.skipIf(files.length === 0)('published graphs at full size', () => {
  it.each(files)(
    '%s: every mode at its least budget as resident, close to stock',
    async (file) => {
      const store = await bench.compile(fillLightGraph(await readModel(join(folder, file)), 1).model);
      const inputs = inputsFor(store.manifest.inputs, 1, []);
      const resident = await bench.load(store, 'resident');
      const reference = await infer(resident, inputs);
      await resident.close();
      expectClose(reference, await referenceOutputs(stock, store.sourcePath, inputs));
      for (const mode of ['sequential', 'sync', 'async'] as const) {
        const least = minimumBudget(store.manifest, mode);
        expect(least).toBeLessThan(store.manifest.weightBytes / 4);
        const model = await bench.load(store, mode, least);
        // Once learning shapes, once with all of them preallocated.
        for (let round = 0; round < 2; round += 1) expectSameBits(await infer(model, inputs), reference);
        await model.close();
      }
    },
    TIMEOUT_MS,
  );
});
