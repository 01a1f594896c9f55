import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PIPELINE_MODES, type PipelineMode } from '../contract';
import type { OnnxModel } from '../onnx';
import { ZOO } from '../zoo';
import { minimumBudget, planProgram, residentTotalBytes } from './plan';
import type { StoreManifest } from './manifest';
import type { HostTensors } from './tensors';
import { BenchTop, infer, type TestStore } from './test-support/bench-top';
import { dynamicNetwork, mediumNetwork, productsOf } from './test-support/networks';
import { referenceOutputs } from './test-support/reference';
import { expectClose, expectSameBits, inputsFor } from './test-support/tensors';

let bench: BenchTop;
beforeAll(async () => {
  bench = await BenchTop.open();
});
afterAll(() => bench.close());

/** Every mode at its least budget and half way to all in memory. */
function settings(manifest: StoreManifest): { mode: PipelineMode; budgetBytes: number }[] {
  return PIPELINE_MODES.flatMap((mode) => {
    const least = minimumBudget(manifest, mode);
    const total = residentTotalBytes(manifest);
    const middle = Math.ceil((least + total) / 2);
    return [...new Set([least, Math.max(least, middle)])].map((budgetBytes) => ({ mode, budgetBytes }));
  });
}

/** All modes of a store: twice each (learning shapes, then preallocated), same bits as resident, close to stock. */
async function compareModes(
  store: TestStore,
  seeds: readonly number[],
  free: readonly (readonly number[])[],
) {
  const runs = seeds.flatMap((seed) => free.map((dims) => inputsFor(store.manifest.inputs, seed, dims)));
  const expected: HostTensors[] = [];
  for (const inputs of runs) expected.push(await referenceOutputs(stock, store.sourcePath, inputs));
  const resident = await bench.load(store, 'resident');
  const reference: HostTensors[] = [];
  for (const inputs of runs) reference.push(await infer(resident, inputs));
  await resident.close();
  reference.forEach((outputs, at) => expectClose(outputs, expected[at]!));
  for (const { mode, budgetBytes } of settings(store.manifest)) {
    const model = await bench.load(store, mode, budgetBytes);
    for (let round = 0; round < 2; round += 1) {
      for (const [at, inputs] of runs.entries()) {
        const outputs = await infer(model, inputs);
        expectSameBits(outputs, reference[at]!);
      }
    }
    await model.close();
  }
}

describe('every tiny network, in every mode', () => {
  const tiny = ZOO.filter((network) => network.id.startsWith('tiny-'));
  it.each(tiny.map((network) => [network.id, network] as const))('%s', async (_, network) => {
    const store = await bench.compile(network.build(1));
    const free =
      network.id === 'tiny-dynamic'
        ? [
            [1, 8, 12],
            [2, 16, 16],
            [1, 32, 9],
          ]
        : [[]];
    await compareModes(store, [1, 2], free);
  });
});

describe('a network with heavy nodes of every kind', () => {
  let store: TestStore;
  beforeAll(async () => {
    store = await bench.compile(mediumNetwork(3) satisfies OnnxModel);
  });

  it('gives the same bits in every mode and budget, close to stock', async () => {
    await compareModes(store, [1, 2], [[]]);
  });

  it.each([
    [1, 1536],
    [2, 1536],
    [127, 1536],
    [128, 1536],
    [129, 1544],
    [197, 1536],
    [200, 1480],
    [384, 1672],
  ])('tiles products of %i rows and %i columns', async (rows, columns) => {
    const products = await bench.compile(productsOf(rows, rows, columns));
    const least = planProgram(
      products.manifest,
      undefined,
      'async',
      minimumBudget(products.manifest, 'async'),
    );
    expect(least.program.steps.some((step) => step.kind === 'tile')).toBe(true);
    await compareModes(products, [1], [[]]);
  });

  it('takes any batch size, several in a row', async () => {
    const dynamic = await bench.compile(dynamicNetwork(4));
    const { program } = planProgram(
      dynamic.manifest,
      undefined,
      'async',
      minimumBudget(dynamic.manifest, 'async'),
    );
    expect(program.steps.some((step) => step.kind === 'tile')).toBe(true);
    await compareModes(
      dynamic,
      [1],
      [
        [1, 1],
        [3, 40],
        [2, 7],
        [1, 300],
      ],
    );
  });
});
