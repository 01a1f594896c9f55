import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { DataType, readModel } from '../onnx';
import type { ValueInfo } from '../onnx';
import { ZOO, zooNetwork } from './registry';
import { fillLightModel, writeZooModel } from './write-zoo-model';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-zoo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const lightFolder = path.resolve(
  process.env['SLUICE_SHARED'] ?? path.join(import.meta.dirname, '../../../shared'),
  'models/light',
);
const haveLight = existsSync(lightFolder);
if (!haveLight) {
  console.warn(
    `Light models are not tested: ${lightFolder} is absent; set SLUICE_SHARED to the folder with models/light.`,
  );
}

/** A fixed pattern of about unit deviation; token ids below 100; dynamic sizes are 2 for the batch, else 20. */
function exampleTensor(input: ValueInfo): Tensor {
  const shape = (input.tensor?.shape ?? []).map((dim) =>
    typeof dim === 'number' ? dim : dim === 'batch' ? 2 : 20,
  );
  const length = shape.reduce((product, dim) => product * dim, 1);
  if (input.tensor?.dtype === DataType.int64) {
    return new Tensor(
      'int64',
      BigInt64Array.from({ length }, (_, i) => BigInt((i * 7919) % 100)),
      shape,
    );
  }
  const values = Float32Array.from({ length }, (_, i) => 1.4 * Math.sin(i * 12.9898 + i * i * 0.37));
  return new Tensor('float32', values, shape);
}

/** The first output of a run of `filePath`, with its declared shape. */
async function runOnce(
  filePath: string,
): Promise<{ values: Float32Array; dims: readonly number[]; declared: unknown }> {
  const { graph } = await readModel(filePath);
  const initializers = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !initializers.has(name));
  const session = await InferenceSession.create(filePath, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const outputs = await session.run(
    Object.fromEntries(inputs.map((input) => [input.name, exampleTensor(input)])),
  );
  await session.release();
  const [output] = graph.outputs;
  const result = output && outputs[output.name];
  if (!result || !(result.data instanceof Float32Array)) throw new Error(`${filePath} has no float32 output`);
  const declared = output.tensor?.shape?.map((dim) => (dim === 'batch' ? 2 : dim));
  return { values: result.data, dims: result.dims, declared };
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe('written networks in ONNX Runtime', () => {
  const small = ZOO.filter(({ id }) => /^(tiny-|mobilenet-v1)/.test(id));

  it.each(small.map((network) => [network.id, network] as const))(
    '%s runs and its output has spread',
    async (id, network) => {
      const file = path.join(folder, `${id}.onnx`);
      await writeZooModel(network, file, { seed: 1 });
      const { values, dims, declared } = await runOnce(file);
      expect(dims).toEqual(declared);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(deviation(values) * Math.sqrt(values.length)).toBeGreaterThan(0.05);
    },
  );

  it('takes both branches of tiny-if', async () => {
    const file = path.join(folder, 'branches.onnx');
    await writeZooModel(zooNetwork('tiny-if'), file, { seed: 1 });
    const session = await InferenceSession.create(file);
    const run = async (sign: number) => {
      const input = new Tensor(
        'float32',
        new Float32Array(32).map((_, i) => sign * Math.sin(i + 1)),
        [1, 32],
      );
      return (await session.run({ input }))['output']?.data as Float32Array;
    };
    const [plus, minus] = [await run(1), await run(-1)];
    await session.release();
    // Everything before the If is odd in its input: with one branch for both signs the outputs would be opposite.
    expect(plus.some((value, i) => Math.abs(value + (minus[i] ?? 0)) > 0.01)).toBe(true);
  });
});

describe('writing', () => {
  it('gives one file or two with the same result, and depends on the seed alone', async () => {
    const network = zooNetwork('tiny-cnn');
    const files = ['one.onnx', 'two.onnx', 'again.onnx', 'other.onnx'].map((name) => path.join(folder, name));
    const [one = '', two = '', again = '', other = ''] = files;
    await writeZooModel(network, one, { seed: 3, weights: 'inline' });
    await writeZooModel(network, two, { seed: 3 });
    await writeZooModel(network, again, { seed: 3, weights: 'inline' });
    await writeZooModel(network, other, { seed: 4, weights: 'inline' });
    expect(statSync(one).size).toBeLessThan(300_000);
    expect(readFileSync(again).equals(readFileSync(one))).toBe(true);
    expect((await runOnce(two)).values).toEqual((await runOnce(one)).values);
    expect((await runOnce(other)).values).not.toEqual((await runOnce(one)).values);
    expect(existsSync(path.join(folder, 'two.weights'))).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('partial') || name === 'one.weights')).toEqual(
      [],
    );
  });

  it('leaves nothing behind when cancelled', async () => {
    const file = path.join(folder, 'cancelled.onnx');
    const signal = AbortSignal.abort();
    const writing = writeZooModel(zooNetwork('tiny-cnn'), file, { seed: 1, signal });
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder).filter((name) => name.startsWith('cancelled'))).toEqual([]);
  });

  it('names the file it could not write', async () => {
    const file = path.join(folder, 'absent', 'model.onnx');
    const writing = writeZooModel(zooNetwork('tiny-cnn'), file, { seed: 1 });
    await expect(writing).rejects.toThrow(/absent.*ENOENT/);
    await expect(writing).rejects.toMatchObject({ code: 'io' });
  });
});

describe.skipIf(!haveLight)('light models', () => {
  it.each(['light_squeezenet.onnx', 'light_resnet50.onnx'])('%s becomes a working network', async (name) => {
    const file = path.join(folder, name);
    const { filled, kept } = await fillLightModel(path.join(lightFolder, name), file, 1);
    expect(filled.length).toBeGreaterThan(30);
    expect(kept).toEqual([]);
    const { values, dims } = await runOnce(file);
    expect(dims[1]).toBe(1000);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(deviation(values)).toBeGreaterThan(1e-3);
  });
});
