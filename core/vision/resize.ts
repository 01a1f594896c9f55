import type { RgbImage } from './image';

/**
 * Bilinear resize that averages when it shrinks (a triangle filter as wide as the scale), as Pillow's `BILINEAR` and
 * torchvision's antialiased resize do; sample centres at half pixels. Within 1 of Pillow's 8-bit result.
 * @param width target size, whole pixels, at least 1.
 */
export function resizeBilinear(image: RgbImage, width: number, height: number): RgbImage {
  if (width === image.width && height === image.height) return image;
  const columns = resampleWeights(image.width, width);
  const rows = resampleWeights(image.height, height);
  const narrow = resampleColumns(image, columns, width);
  return { width, height, data: resampleRows(narrow, width, rows, height) };
}

/** For each target sample: the first source sample and, at `i * span`, the weights of `count[i]` samples from there. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float32Array;
  readonly span: number;
}

function resampleWeights(sourceSize: number, targetSize: number): Weights {
  const scale = sourceSize / targetSize;
  const support = Math.max(scale, 1);
  const span = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(targetSize);
  const count = new Int32Array(targetSize);
  const weights = new Float32Array(targetSize * span);
  for (let i = 0; i < targetSize; i += 1) {
    const centre = (i + 0.5) * scale;
    const from = Math.max(0, Math.floor(centre - support + 0.5));
    const to = Math.min(sourceSize, Math.floor(centre + support + 0.5));
    first[i] = from;
    count[i] = to - from;
    let sum = 0;
    for (let k = from; k < to; k += 1) {
      const weight = Math.max(0, 1 - Math.abs((k + 0.5 - centre) / support));
      weights[i * span + k - from] = weight;
      sum += weight;
    }
    for (let k = 0; k < to - from; k += 1) weights[i * span + k] = (weights[i * span + k] ?? 0) / sum;
  }
  return { first, count, weights, span };
}

/** Rows keep their number; values stay unrounded for the second pass. */
function resampleColumns(image: RgbImage, columns: Weights, width: number): Float32Array {
  const narrow = new Float32Array(width * image.height * 3);
  for (let y = 0; y < image.height; y += 1) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x += 1) {
      const from = row + (columns.first[x] ?? 0) * 3;
      const count = columns.count[x] ?? 0;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < count; k += 1) {
        const weight = columns.weights[x * columns.span + k] ?? 0;
        red += weight * (image.data[from + k * 3] ?? 0);
        green += weight * (image.data[from + k * 3 + 1] ?? 0);
        blue += weight * (image.data[from + k * 3 + 2] ?? 0);
      }
      const to = (y * width + x) * 3;
      narrow[to] = red;
      narrow[to + 1] = green;
      narrow[to + 2] = blue;
    }
  }
  return narrow;
}

function resampleRows(narrow: Float32Array, width: number, rows: Weights, height: number): Uint8Array {
  const stride = width * 3;
  const data = new Uint8Array(stride * height);
  const sums = new Float32Array(stride);
  for (let y = 0; y < height; y += 1) {
    sums.fill(0);
    const count = rows.count[y] ?? 0;
    for (let k = 0; k < count; k += 1) {
      const weight = rows.weights[y * rows.span + k] ?? 0;
      const from = ((rows.first[y] ?? 0) + k) * stride;
      for (let i = 0; i < stride; i += 1) sums[i] = (sums[i] ?? 0) + weight * (narrow[from + i] ?? 0);
    }
    for (let i = 0; i < stride; i += 1) data[y * stride + i] = Math.round(sums[i] ?? 0);
  }
  return data;
}

/** Copies a rectangle that must lie inside the image. */
export function crop(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  if (left < 0 || top < 0 || left + width > image.width || top + height > image.height) {
    throw new RangeError(
      `crop ${left},${top} ${width}x${height} leaves the ${image.width}x${image.height} image`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}
