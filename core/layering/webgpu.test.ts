import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as stock from 'onnxruntime-node';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { writeModel } from '../onnx';
import { zooNetwork } from '../zoo';
import { compileStore } from './compile';
import { Engine } from './engine';
import { readManifest } from './manifest';
import { minimumBudget } from './plan';
import { twoProducts } from './test-support/networks';
import { referenceOutputs } from './test-support/reference';
import { expectClose, expectSameBits, inputsFor } from './test-support/tensors';

/** The set-up names a software Vulkan driver where one is installed; a machine with a GPU needs none. */
const HAS_DRIVER = process.env['VK_ICD_FILENAMES'] !== undefined;

describe.skipIf(!HAS_DRIVER)('webgpu', () => {
  let folder: string;
  let engine: Engine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-webgpu-'));
    engine = await Engine.start({ threads: 1, readers: 1 });
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['a convolutional network', 'cnn', () => zooNetwork('tiny-cnn').build(1)],
    ['streamed products', 'products', () => twoProducts(1)],
  ])('%s gives what the CPU gives, within rounding, in every mode', async (_, name, build) => {
    const sourcePath = join(folder, `${name}.onnx`);
    const storePath = join(folder, name);
    await writeModel(build(), sourcePath);
    await compileStore({ sourcePath, storePath, provider: 'webgpu', threads: 1 }, () => undefined);
    const manifest = readManifest(storePath);
    const inputs = inputsFor(manifest.inputs, 1);
    const expected = await referenceOutputs(stock, sourcePath, inputs);
    const resident = await engine.load({ storePath, mode: 'resident' });
    const right = (await resident.run(inputs)).outputs;
    expectClose(right, expected);
    const model = await engine.load({
      storePath,
      mode: 'async',
      budgetBytes: minimumBudget(manifest, 'async'),
    });
    for (let round = 0; round < 3; round += 1) expectSameBits((await model.run(inputs)).outputs, right);
    await model.close();
    await resident.close();
  });
});
