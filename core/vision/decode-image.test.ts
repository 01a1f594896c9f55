import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { Transformer } from '@napi-rs/image';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../contract';
import { decodeImage } from './decode-image';

const WIDTH = 40;
const HEIGHT = 20;

/** Orange, with a blue block in the top left quarter. */
function base(): Sharp {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      data.set(x < WIDTH / 2 && y < HEIGHT / 2 ? [0, 0, 255] : [200, 100, 50], (y * WIDTH + x) * 3);
    }
  }
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

async function pixelsOf(
  bytes: Uint8Array,
): Promise<{ size: number[]; at: (x: number, y: number) => number[] }> {
  const image = await decodeImage(bytes);
  const at = (x: number, y: number): number[] => [
    ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
  ];
  expect(image.data).toHaveLength(image.width * image.height * 3);
  return { size: [image.width, image.height], at };
}

function expectNear(actual: number[], expected: number[], tolerance: number): void {
  actual.forEach((value, i) => expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThanOrEqual(tolerance));
}

describe('decodeImage', () => {
  const encoders: [string, () => Promise<Buffer>, number][] = [
    ['png', () => base().png().toBuffer(), 0],
    ['png, palette', () => base().png({ palette: true, colours: 4 }).toBuffer(), 2],
    ['png, 16 bit', () => base().toColourspace('rgb16').png().toBuffer(), 1],
    ['jpeg', () => base().jpeg({ quality: 95 }).toBuffer(), 8],
    ['jpeg, progressive', () => base().jpeg({ quality: 95, progressive: true }).toBuffer(), 8],
    ['webp', () => base().webp({ lossless: true }).toBuffer(), 0],
    ['tiff', () => base().tiff({ compression: 'lzw' }).toBuffer(), 0],
    ['avif', () => base().avif({ lossless: true }).toBuffer(), 4],
    ['bmp', async () => new Transformer(await base().png().toBuffer()).bmp(), 0],
  ];
  it.each(encoders)('reads %s', async (_name, encode, tolerance) => {
    const { size, at } = await pixelsOf(await encode());
    expect(size).toEqual([WIDTH, HEIGHT]);
    expectNear(at(5, 5), [0, 0, 255], tolerance);
    expectNear(at(35, 15), [200, 100, 50], tolerance);
  });

  it.each([['grey16' as const], ['b-w' as const]])('reads gray as equal channels (%s)', async (space) => {
    const { at } = await pixelsOf(await base().toColourspace(space).png().toBuffer());
    const [red = -1, green, blue] = at(35, 15);
    expect([green, blue]).toEqual([red, red]);
    expect(red).toBeGreaterThan(100);
  });

  it('composites alpha on white', async () => {
    const black = { r: 0, g: 0, b: 0, alpha: 0.5 };
    const png = await sharp({ create: { width: 2, height: 2, channels: 4, background: black } })
      .png()
      .toBuffer();
    const { at } = await pixelsOf(png);
    expectNear(at(0, 0), [127, 127, 127], 1);
  });

  it.each([
    [1, [WIDTH, HEIGHT], [5, 5]],
    [3, [WIDTH, HEIGHT], [35, 15]],
    [6, [HEIGHT, WIDTH], [15, 5]],
    [8, [HEIGHT, WIDTH], [5, 35]],
  ])('applies EXIF orientation %i', async (orientation, size, blue) => {
    const jpeg = await base().withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const found = await pixelsOf(jpeg);
    expect(found.size).toEqual(size);
    expectNear(found.at(blue[0] ?? 0, blue[1] ?? 0), [0, 0, 255], 8);
  });
});

describe('decodeImage refuses', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-decode-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A valid PNG header that claims 60000 x 60000 pixels. */
  async function bomb(): Promise<Buffer> {
    const png = await base().png().toBuffer();
    png.writeUInt32BE(60000, 16);
    png.writeUInt32BE(60000, 20);
    return png;
  }
  const cut = async (encode: Promise<Buffer>, keep: number): Promise<Buffer> => {
    const whole = await encode;
    return whole.subarray(0, Math.floor(whole.length * keep));
  };
  const cases: [string, () => Promise<Uint8Array>, RegExp][] = [
    [
      'an empty file',
      async () => new Uint8Array(0),
      /cat\.png is not an image .*expected PNG.*found an empty file/,
    ],
    ['text', async () => Buffer.from('hello, this is no image'), /not an image .*begin with 68 65 6c 6c/],
    [
      'a PNG cut in its data',
      () => cut(base().png({ palette: false }).toBuffer(), 0.7),
      /PNG data is damaged or cut off/,
    ],
    [
      'a JPEG cut in its data',
      () => cut(base().jpeg().toBuffer(), 0.95),
      /JPEG data is damaged or cut off .*end-of-image/,
    ],
    ['a WebP cut in its data', () => cut(base().webp().toBuffer(), 0.6), /WebP data is damaged or cut off/],
    ['a GIF', () => base().gif().toBuffer(), /is a gif image; expected PNG/],
    ['a decompression bomb', bomb, /60000 x 60000 pixels; expected 1 to 64000000/],
  ];
  it.each(cases)('%s', async (_name, make, message) => {
    const failure = await decodeImage(await make(), { name: 'cat.png' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SluiceError);
    expect(failure).toMatchObject({ code: 'bad-input', message: expect.stringMatching(message) as string });
  });

  it('a missing path as not-found, a folder as io', async () => {
    const missing = join(folder, 'nowhere.png');
    await expect(decodeImage(missing)).rejects.toMatchObject({ code: 'not-found' });
    await expect(decodeImage(folder)).rejects.toMatchObject({ code: 'io' });
    await writeFile(join(folder, 'a.png'), await base().png().toBuffer());
    await expect(decodeImage(join(folder, 'a.png'))).resolves.toMatchObject({ width: WIDTH });
  });
});
