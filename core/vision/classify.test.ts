import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float16ToNumber } from '../base';
import type { TensorSpec } from '../contract';
import { classifierInput, classifierShape, classify, isClassifier, topK } from './classify';
import type { ClassifierShape } from './classify';
import type { RgbImage } from './image';
import { loadLabels } from './labels';
import type { Tensor } from './tensor';

const appRoot = resolve(import.meta.dirname, '../..');
const spec = (shape: number[], dtype = 'float32', name = 'x'): TensorSpec => ({ name, dtype, shape });

describe('isClassifier', () => {
  it.each([
    ['NCHW', [1, 3, 224, 224], [1, 1000]],
    ['free batch and size', [-1, 3, -1, -1], [-1, 1001]],
    ['NHWC', [1, 299, 299, 3], [1, 1001]],
    ['pooled output', [1, 3, 227, 227], [1, 1000, 1, 1]],
    ['NHWC pooled output', [1, 96, 96, 3], [1, 1, 1, 2]],
    ['MNIST', [1, 1, 28, 28], [1, 10]],
  ])('yes: %s', (_name, input, output) => expect(isClassifier([spec(input)], [spec(output)])).toBe(true));

  it.each([
    ['text detector', [-1, 3, -1, -1], [-1, 1, -1, -1]],
    ['text recognizer', [-1, 3, 48, -1], [-1, -1, 6625]],
    ['tokens', [1, 384], [1, 2]],
    ['free class count', [1, 3, 224, 224], [1, -1]],
    ['fixed batch of 8', [8, 3, 224, 224], [8, 1000]],
    ['many channels', [1, 64, 56, 56], [1, 1000]],
  ])('no: %s', (_name, input, output) => expect(isClassifier([spec(input)], [spec(output)])).toBe(false));

  it('no: two inputs, two outputs, integer input or output', () => {
    const [input, output] = [spec([1, 3, 224, 224]), spec([1, 1000])];
    expect(isClassifier([input, input], [output])).toBe(false);
    expect(isClassifier([input], [output, output])).toBe(false);
    expect(isClassifier([spec([1, 3, 224, 224], 'int64')], [output])).toBe(false);
    expect(isClassifier([input], [spec([1, 1000], 'int64')])).toBe(false);
  });
});

/** Left half red, right half blue. */
function halves(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1)
    data.set(i % width < width / 2 ? [255, 0, 0] : [0, 0, 255], i * 3);
  return { width, height, data };
}

function shapeOf(input: number[], dtype = 'float32'): ClassifierShape {
  const shape = classifierShape([spec(input, dtype)], [spec([1, 10])]);
  if (!shape) throw new Error('not a classifier');
  return shape;
}

const inputOf = (
  image: RgbImage,
  shape: ClassifierShape,
  preset?: 'imagenet' | 'tf' | 'unit' | 'raw',
): Tensor => {
  const tensor = classifierInput(image, shape, preset).get('x');
  if (!tensor) throw new Error('no input "x"');
  return tensor;
};

describe('classifierInput', () => {
  it('normalises by ImageNet figures, planes in RGB order', () => {
    const { shape, data } = inputOf(halves(320, 256), shapeOf([1, 3, 224, 224]));
    expect(shape).toEqual([1, 3, 224, 224]);
    const plane = 224 * 224;
    const at = (c: number, x: number): number => Number(data[c * plane + 112 * 224 + x]);
    expect(at(0, 3)).toBeCloseTo((1 - 0.485) / 0.229, 5);
    expect(at(1, 3)).toBeCloseTo(-0.456 / 0.224, 5);
    expect(at(2, 3)).toBeCloseTo(-0.406 / 0.225, 5);
    expect(at(2, 220)).toBeCloseTo((1 - 0.406) / 0.225, 5);
  });

  it.each([
    ['tf', -1, 1],
    ['unit', 0, 1],
    ['raw', 0, 255],
  ] as const)('preset %s', (preset, low, high) => {
    const { data } = inputOf(halves(64, 64), shapeOf([1, 32, 32, 3]), preset);
    expect(Number(data[0])).toBeCloseTo(high, 4);
    expect(Number(data[1])).toBeCloseTo(low, 4);
    expect(Number(data[data.length - 1])).toBeCloseTo(high, 4);
  });

  it('fills uint8 with bytes, float16 with bits, and one channel with luma', () => {
    const bytes = inputOf(halves(64, 64), shapeOf([1, 32, 32, 3], 'uint8'));
    expect([bytes.dtype, ...bytes.data.slice(0, 3)]).toEqual(['uint8', 255, 0, 0]);
    const half = inputOf(halves(64, 64), shapeOf([1, 3, 32, 32], 'float16'), 'tf');
    expect(float16ToNumber(Number(half.data[0]))).toBe(1);
    const luma = inputOf(halves(64, 64), shapeOf([1, 1, 32, 32]), 'raw');
    expect(luma.data).toHaveLength(32 * 32);
    expect(Number(luma.data[0])).toBeCloseTo(76, 3);
  });

  it('fits any image size to any input size', () => {
    const side = fc.integer({ min: 1, max: 90 });
    const target = fc.integer({ min: 8, max: 64 });
    fc.assert(
      fc.property(side, side, target, target, (w, h, height, width) => {
        const { data } = inputOf(halves(w, h), shapeOf([1, 3, height, width]), 'unit');
        expect(data.length).toBe(3 * height * width);
      }),
      { numRuns: 50 },
    );
  });
});

const scores = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [1, values.length],
  data: Float32Array.from(values),
});

describe('topK', () => {
  it('applies softmax to scores, leaves probabilities as they are', () => {
    const [first] = topK(scores(1, 3, 2), ['a', 'b', 'c']);
    expect(first).toMatchObject({ index: 1, label: 'b' });
    expect(first?.probability).toBeCloseTo(Math.exp(3) / (Math.exp(1) + Math.exp(2) + Math.exp(3)), 6);
    expect(topK(scores(0.25, 0.75), [])).toMatchObject([
      { index: 1, label: 'class 1', probability: 0.75 },
      { index: 0, label: 'class 0', probability: 0.25 },
    ]);
  });

  it('gives k classes, descending, adding up to at most 1', () => {
    const score = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 2, maxLength: 50 }),
        fc.integer({ min: 1, max: 9 }),
        (values, k) => {
          const top = topK(scores(...values), [], k);
          expect(top).toHaveLength(Math.min(k, values.length));
          expect(top.reduce((sum, { probability }) => sum + probability, 0)).toBeLessThanOrEqual(1.011);
          top.forEach(({ probability }, i) =>
            expect(probability).toBeLessThanOrEqual(top[i - 1]?.probability ?? 1.001),
          );
          expect(Math.max(...values) === values[top[0]?.index ?? -1]).toBe(true);
        },
      ),
    );
  });

  it('refuses scores that are not finite', () => {
    expect(() => topK(scores(1, NaN), [])).toThrow(/finite score .* found NaN for class 1/);
    expect(() => topK(scores(), [])).toThrow(/no scores/);
  });
});

it('classify feeds the network and names the best class', async () => {
  const shape = shapeOf([1, 3, 8, 8]);
  const run = (inputs: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> => {
    expect(inputs.get('x')?.shape).toEqual([1, 3, 8, 8]);
    return Promise.resolve(new Map([['y', scores(0, 9)]]));
  };
  const result = await classify(halves(20, 10), shape, run, { labels: ['no', 'yes'], k: 1 });
  expect(result).toMatchObject({ kind: 'classification', width: 20, height: 10, top: [{ label: 'yes' }] });
});

describe('loadLabels', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-labels-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('knows 1000 distinct ImageNet classes, and 1001 with the background first', async () => {
    const labels = await loadLabels(appRoot, 1000, join(folder, 'model.onnx'));
    expect(new Set(labels).size).toBe(1000);
    expect([labels[0], labels[281], labels[999]]).toEqual(['tench', 'tabby', 'toilet tissue']);
    const shifted = await loadLabels(appRoot, 1001, undefined);
    expect([shifted[0], shifted[1], shifted.length]).toEqual(['background', 'tench', 1001]);
    expect(await loadLabels(appRoot, 2, undefined)).toEqual(['class 0', 'class 1']);
  });

  it('prefers labels.txt beside the model, and refuses one of another length', async () => {
    await writeFile(join(folder, 'labels.txt'), '\uFEFFcat\r\ndog\r\n');
    expect(await loadLabels(appRoot, 2, join(folder, 'model.onnx'))).toEqual(['cat', 'dog']);
    await expect(loadLabels(appRoot, 1000, join(folder, 'model.onnx'))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/has 2 class names; expected 1000/) as string,
    });
  });
});
