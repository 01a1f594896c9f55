import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../../base';

const FOLDER = join(import.meta.dirname, 'programs');
const load = async (name: string): Promise<unknown> => import(pathToFileURL(join(FOLDER, name)).href);

interface Network {
  output(input: Float32Array): Float32Array;
  saved(): unknown;
  trainEpoch(
    samples: readonly object[],
    gradientOf: (found: number[], target: number) => number[],
    options: object,
  ): void;
}
interface NetworkClass {
  seeded(sizes: readonly number[], random: () => number): Network;
  loaded(saved: unknown): Network;
}

const { Network, softmax } = (await load('network.mjs')) as {
  Network: NetworkClass;
  softmax: (logits: Float32Array) => Float32Array;
};
const { onnxFile } = (await load('onnx-file.mjs')) as {
  onnxFile: (model: object, names: { readonly input: string; readonly output: string }) => Buffer;
};

const INPUT = [0.5, -1.5, 2];
const scaler = { mean: [0.1, 0.2, 0.3], scale: [2, 0.5, 1] };
const scaled = Float32Array.from(INPUT, (value, at) => (value - scaler.mean[at]!) * scaler.scale[at]!);

async function run(model: object): Promise<readonly number[]> {
  const session = await InferenceSession.create(onnxFile(model, { input: 'x', output: 'y' }));
  const { y } = await session.run({
    x: new Tensor('float32', Float32Array.from([...INPUT, ...INPUT]), [2, 3]),
  });
  await session.release();
  const values = Array.from(y!.data as Float32Array);
  // Any number of rows: both are the same here.
  expect(values.slice(values.length / 2)).toEqual(values.slice(0, values.length / 2));
  return values.slice(0, values.length / 2);
}

describe('the programs of the example', () => {
  it.each([[[3, 4]], [[3, 5, 4]], [[3, 6, 5, 2]]])('networks of %j run in ONNX Runtime', async (sizes) => {
    const network = Network.seeded(sizes, seededRandom(4));
    const classes = await run({ network, scaler, isClasses: true });
    expect(classes.map((share) => share.toFixed(5))).toEqual(
      Array.from(softmax(network.output(scaled)), (share) => share.toFixed(5)),
    );
    const value = await run({ network, scaler, target: { mean: 40, scale: 3 } });
    const own = Array.from(network.output(scaled), (output) => 40 + 3 * output);
    for (const [at, found] of value.entries()) expect(found).toBeCloseTo(own[at]!, 4);
    expect((await run({ network })).map((output) => output.toFixed(5))).toEqual(
      Array.from(network.output(Float32Array.from(INPUT)), (output) => output.toFixed(5)),
    );
  });

  it('go on from a checkpoint as if nothing had been', () => {
    const random = seededRandom(9);
    const samples = Array.from({ length: 40 }, () => ({
      input: Float32Array.of(random(), random()),
      target: random(),
    }));
    const options = { lr: 0.1, momentum: 0.9, decay: 0.01, batch: 7 };
    const whole = Network.seeded([2, 5, 1], seededRandom(1));
    const gradientOf = ([found = 0]: number[], target: number): number[] => [found - target];
    whole.trainEpoch(samples, gradientOf, options);
    const resumed = Network.loaded(JSON.parse(JSON.stringify(whole.saved())));
    for (const network of [whole, resumed]) network.trainEpoch(samples, gradientOf, options);
    expect(resumed.saved()).toEqual(whole.saved());
  });

  it.each([
    [['--rate', '1'], /--rate: expected one of --epochs, .*--lr/],
    [['--lr', 'much'], /--lr: expected a number, found much/],
    [['--lr'], /--lr: expected a number, found undefined/],
  ])('refuse %j', async (args, message) => {
    await expect(promisify(execFile)('node', ['state.mjs', ...args], { cwd: FOLDER })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message) as string,
    });
  });
});
