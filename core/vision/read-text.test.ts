import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLES, exampleImagePath, ocrAssets } from './assets';
import { parseOcrKeys } from './ctc';
import { decodeImage } from './decode-image';
import type { RgbImage } from './image';
import { plainText, readText } from './read-text';
import type { TextNetworks } from './read-text';
import type { Tensor, TensorRunner } from './tensor';
import { warp } from './perspective';

const appRoot = resolve(import.meta.dirname, '../..');

/** A runner on the stock binding; notes the widths it was fed. */
async function stockRunner(path: string, widths: Set<number>): Promise<TensorRunner> {
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: 2,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return async (inputs) => {
    const feeds: Record<string, OrtTensor> = {};
    for (const [name, tensor] of inputs) {
      widths.add(tensor.shape.at(-1) ?? 0);
      feeds[name] = new OrtTensor('float32', tensor.data as Float32Array, [...tensor.shape]);
    }
    const outputs = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(await session.run(feeds))) {
      outputs.set(name, { dtype: 'float32', shape: value.dims, data: value.data as Float32Array });
    }
    return outputs;
  };
}

/** Edit distance (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

describe('readText with PP-OCR v4', () => {
  const strips = new Set<number>();
  let networks: TextNetworks;
  beforeAll(async () => {
    const assets = ocrAssets(appRoot);
    networks = {
      detect: await stockRunner(assets.detector, new Set()),
      recognize: await stockRunner(assets.recognizer, strips),
      keys: parseOcrKeys(await readFile(assets.keys, 'utf8')),
    };
  });

  const example = async (id: string): Promise<{ image: RgbImage; drawn: string }> => {
    const path = exampleImagePath(appRoot, id) ?? '';
    return {
      image: await decodeImage(path),
      drawn: (await readFile(path.replace('.png', '.txt'), 'utf8')).trim(),
    };
  };

  it.each(EXAMPLES.map(({ id }) => id))('reads the %s exactly as drawn', async (id) => {
    const { image, drawn } = await example(id);
    const result = await readText(image, networks);
    expect(plainText(result)).toBe(drawn);
    for (const { quad, confidence } of result.lines) {
      expect(confidence).toBeGreaterThan(0.8);
      quad.forEach((value, i) => expect(value).toBeLessThan(i % 2 ? image.height : image.width));
    }
    expect([...strips].every((width) => width % 160 === 0)).toBe(true);
  });

  it('reads a receipt turned by 12 degrees, at most 2% of the characters wrong', async () => {
    const { image, drawn } = await example('receipt');
    const result = await readText(turned(image, 12), networks);
    expect(editDistance(plainText(result), drawn) / drawn.length).toBeLessThanOrEqual(0.02);
  });

  it('finds nothing in an empty image', async () => {
    const blank = { width: 50, height: 30, data: new Uint8Array(50 * 30 * 3).fill(200) };
    expect(await readText(blank, networks)).toEqual({ kind: 'text', width: 50, height: 30, lines: [] });
  });

  it('refuses keys of another network and swapped networks', async () => {
    const { image } = await example('sign');
    await expect(readText(image, { ...networks, keys: ['', 'a', ' '] })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/expected \[1, steps, 3\]/) as string,
    });
    const notDetector: TensorRunner = () =>
      Promise.resolve(new Map([['y', { dtype: 'float32', shape: [1, 2], data: new Float32Array(2) }]]));
    await expect(readText(image, { ...networks, detect: notDetector })).rejects.toMatchObject({
      code: 'bad-input',
    });
  });
});

/** The image turned about its centre, its edge pixels smeared outwards. */
function turned(image: RgbImage, degrees: number): RgbImage {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const side = Math.ceil(Math.hypot(image.width, image.height));
  const corner = (u: number, v: number): { x: number; y: number } => ({
    x: image.width / 2 + (side / 2) * (u * cos + v * sin),
    y: image.height / 2 + (side / 2) * (v * cos - u * sin),
  });
  return warp(image, [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)], side, side);
}
