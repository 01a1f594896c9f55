import { readFile } from 'node:fs/promises';
import type { JsColorType } from '@napi-rs/image';
import { imageSize } from 'image-size';
import { SluiceError } from '../contract';
import type { RgbImage } from './image';

/** What `decodeImage` reads; the type names are image-size's. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['png', 'PNG'],
  ['jpg', 'JPEG'],
  ['webp', 'WebP'],
  ['bmp', 'BMP'],
  ['tiff', 'TIFF'],
  ['avif', 'AVIF'],
]);

/** 64 megapixels: 192 MB as RGB. Larger than phone photos, small enough that a decompression bomb can't hurt. */
export const MAX_IMAGE_PIXELS = 64e6;

export interface DecodeOptions {
  /** Refuse images with more pixels. Default `MAX_IMAGE_PIXELS`. */
  readonly maxPixels?: number;
  /** What messages call the image; default the path, or "image". */
  readonly name?: string;
}

/**
 * Decodes PNG, JPEG, WebP, BMP, TIFF or AVIF to 8-bit RGB. A JPEG's EXIF orientation is applied, alpha is composited
 * on white, 16-bit, gray and palette images become 8-bit RGB; colour profiles are ignored.
 * @param source file bytes, or the path of a file.
 * @throws SluiceError `not-found` or `io` for an unreadable path; `bad-input` for bytes that are not an image, are
 * truncated, are of a format not in the list, or have more pixels than allowed.
 */
export async function decodeImage(
  source: Uint8Array | string,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const name = options.name ?? (typeof source === 'string' ? source : 'image');
  const bytes = typeof source === 'string' ? await readImageFile(source) : source;
  const header = readHeader(bytes, name);
  checkPixels(header.width, header.height, options.maxPixels ?? MAX_IMAGE_PIXELS, name);
  if (header.type === 'jpg') checkJpegEnd(bytes, name);
  return decodePixels(bytes, name, FORMATS.get(header.type) ?? header.type);
}

async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      missing ? 'not-found' : 'io',
      missing ? `No image file at ${path}. Check the path.` : `Can't read the image ${path}: ${reason}`,
      { path },
      { cause },
    );
  }
}

interface ImageHeader {
  readonly type: string;
  readonly width: number;
  readonly height: number;
}

/** Reads the size without decoding, so that a small file that claims a huge image costs nothing. */
function readHeader(bytes: Uint8Array, name: string): ImageHeader {
  const known = [...FORMATS.values()].join(', ');
  let size: ReturnType<typeof imageSize>;
  try {
    size = imageSize(bytes);
  } catch (cause) {
    throw new SluiceError(
      'bad-input',
      `${name} is not an image Sluice can read: expected ${known}; found ${describeBytes(bytes)}.`,
      { name, byteLength: bytes.byteLength },
      { cause },
    );
  }
  const type = size.type ?? 'unknown';
  if (!FORMATS.has(type)) {
    throw new SluiceError('bad-input', `${name} is a ${type} image; expected ${known}. Convert it first.`, {
      name,
    });
  }
  return { type, width: size.width, height: size.height };
}

function describeBytes(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return 'an empty file';
  const first = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${bytes.byteLength} bytes that begin with ${first}, or a file cut off in its header`;
}

function checkPixels(width: number, height: number, maxPixels: number, name: string): void {
  if (width >= 1 && height >= 1 && width * height <= maxPixels) return;
  throw new SluiceError(
    'bad-input',
    `${name} is ${width} x ${height} pixels; expected 1 to ${maxPixels} pixels in all. Scale the image first.`,
    { name, width, height, maxPixels },
  );
}

/**
 * The decoder fills the missing part of a cut-off JPEG with gray. An end-of-image marker (FF D9) after the first scan
 * header tells them apart: entropy-coded data can't contain it (ITU T.81, B.1.1.5).
 */
function checkJpegEnd(bytes: Uint8Array, name: string): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff && file[at + 1] !== 0xda) {
    at += file[at + 1] === 0xff ? 1 : 2 + file.readUInt16BE(at + 2);
  }
  if (file.indexOf('ffd9', at, 'hex') >= 0) return;
  throw truncated(name, 'JPEG', 'no end-of-image marker after the image data');
}

function truncated(name: string, format: string, reason: string, cause?: unknown): SluiceError {
  return new SluiceError(
    'bad-input',
    `${name}: the ${format} data is damaged or cut off (${reason}). Get the file again.`,
    { name },
    { cause },
  );
}

async function decodePixels(bytes: Uint8Array, name: string, format: string): Promise<RgbImage> {
  // Native, and not needed until there is a picture.
  const { JsColorType, Transformer } = await import('@napi-rs/image');
  try {
    const transformer = new Transformer(bytes).rotate();
    // After `rotate` it gives the size as turned.
    const { width, height, colorType } = await transformer.metadata();
    const pixels = await transformer.rawPixels();
    return { width, height, data: toRgb(pixels, layoutOf(colorType, JsColorType), width * height) };
  } catch (cause) {
    throw truncated(name, format, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

type Depth = 'u8' | 'u16' | 'f32';
interface Layout {
  readonly channels: 1 | 2 | 3 | 4;
  readonly depth: Depth;
}
type ColorName = keyof typeof JsColorType;
const LAYOUTS: Readonly<Record<ColorName, Layout>> = {
  L8: { channels: 1, depth: 'u8' },
  La8: { channels: 2, depth: 'u8' },
  Rgb8: { channels: 3, depth: 'u8' },
  Rgba8: { channels: 4, depth: 'u8' },
  L16: { channels: 1, depth: 'u16' },
  La16: { channels: 2, depth: 'u16' },
  Rgb16: { channels: 3, depth: 'u16' },
  Rgba16: { channels: 4, depth: 'u16' },
  Rgb32F: { channels: 3, depth: 'f32' },
  Rgba32F: { channels: 4, depth: 'f32' },
};

/** @param types the decoder's names with their numbers, which are known once it is loaded. */
function layoutOf(colorType: JsColorType, types: typeof JsColorType): Layout {
  const found = Object.entries(LAYOUTS).find(([name]) => types[name as ColorName] === colorType);
  if (found === undefined) throw new Error(`pixels of an unknown layout ${colorType}`);
  return found[1];
}

/** Any pixel layout to RGB bytes over white. */
function toRgb(raw: Buffer, { channels, depth }: Layout, pixels: number): Uint8Array {
  const samples = toUnit(raw, depth);
  if (samples.values.length !== pixels * channels) {
    throw new Error(`${samples.values.length} samples for ${pixels} pixels of ${channels} channels`);
  }
  if (channels === 3 && depth === 'u8') return new Uint8Array(raw);
  const hasAlpha = channels === 2 || channels === 4;
  const step = channels >= 3 ? 1 : 0;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const from = pixel * channels;
    const alpha = hasAlpha ? (samples.values[from + channels - 1] ?? 0) / samples.white : 1;
    for (let c = 0; c < 3; c += 1) {
      const value = (samples.values[from + c * step] ?? 0) / samples.white;
      rgb[pixel * 3 + c] = Math.round(255 * Math.min(1, Math.max(0, value * alpha + 1 - alpha)));
    }
  }
  return rgb;
}

interface Samples {
  readonly values: Uint8Array | Uint16Array | Float32Array;
  /** The sample value of full intensity. */
  readonly white: number;
}

function toUnit(raw: Buffer, depth: Depth): Samples {
  if (depth === 'u8') return { values: raw, white: 255 };
  // Copied: a pooled buffer may not be aligned for wider elements.
  const buffer = new Uint8Array(raw).buffer;
  if (depth === 'u16') return { values: new Uint16Array(buffer), white: 65535 };
  return { values: new Float32Array(buffer), white: 1 };
}
