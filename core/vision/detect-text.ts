import { SluiceError } from '../contract';
import { connectedComponents } from './components';
import { insideConvex, minAreaRect, rectCorners, unclip } from './geometry';
import type { Point, RotatedRect } from './geometry';
import type { RgbImage } from './image';
import type { FourPoints } from './perspective';
import { resizeBilinear } from './resize';
import { asFloats } from './tensor';
import type { Tensor } from './tensor';

/** PP-OCR's own defaults (PaddleOCR `tools/infer/utility.py`), except that smaller images are not enlarged. */
export interface DetectionOptions {
  /** The longer side is scaled down to this before detection, pixels. Default 960. */
  readonly maxSide?: number;
  /** Pixels of the probability map above it are text. Default 0.3. */
  readonly pixelThreshold?: number;
  /** Boxes whose mean probability is below it are dropped. Default 0.6. */
  readonly boxThreshold?: number;
  /** How far boxes grow back; see `unclip`. Default 1.5. */
  readonly unclipRatio?: number;
}

/** One place where text stands. */
export interface TextRegion {
  /** Clockwise from top left, image pixels, inside the image. */
  readonly corners: FourPoints;
  /** Mean probability inside the box before it was grown. */
  readonly score: number;
}

/** Boxes with a shorter side than this, in pixels of the map, are noise. */
const MIN_SIDE = 3;
const STRIDE = 32;

/** PaddleOCR applies ImageNet's RGB statistics to channels in BGR order; the networks were trained that way. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

/**
 * The detector's input [1, 3, H, W], float32, BGR, normalised; H and W are multiples of 32 and at most `maxSide`
 * rounded to one.
 */
export function detectionInput(image: RgbImage, maxSide = 960): Tensor {
  const scale = Math.min(1, maxSide / Math.max(image.width, image.height));
  const snap = (side: number): number => Math.max(STRIDE, Math.round((side * scale) / STRIDE) * STRIDE);
  const { width, height, data } = resizeBilinear(image, snap(image.width), snap(image.height));
  const plane = width * height;
  const values = new Float32Array(plane * 3);
  MEAN.forEach((mean, c) => {
    const factor = 1 / (255 * (STD[c] ?? 1));
    const offset = mean / (STD[c] ?? 1);
    for (let i = 0; i < plane; i += 1) values[c * plane + i] = (data[i * 3 + 2 - c] ?? 0) * factor - offset;
  });
  return { dtype: 'float32', shape: [1, 3, height, width], data: values };
}

/**
 * Text regions from a DB probability map (Liao et al. 2020).
 * @param map [1, 1, H, W], probabilities.
 * @throws SluiceError `bad-input` when the output has another shape, i.e. the network is no DB detector.
 */
export function regionsFromMap(map: Tensor, image: RgbImage, options: DetectionOptions = {}): TextRegion[] {
  const [batch, channels, height = 0, width = 0] = map.shape;
  if (map.shape.length !== 4 || batch !== 1 || channels !== 1) {
    throw new SluiceError(
      'bad-input',
      `The text detector's output is [${map.shape.join(', ')}]; expected a probability map [1, 1, H, W]. ` +
        'Choose a PP-OCR (DB) detection network.',
      { shape: map.shape.join(',') },
    );
  }
  const { pixelThreshold = 0.3, boxThreshold = 0.6, unclipRatio = 1.5 } = options;
  const values = asFloats(map);
  const regions: TextRegion[] = [];
  for (const component of connectedComponents(values, width, height, pixelThreshold)) {
    const rect = minAreaRect(component.outline);
    if (Math.min(rect.width, rect.height) < MIN_SIDE) continue;
    const score = meanInside(values, width, height, rect);
    if (score < boxThreshold) continue;
    const grown = unclip(rect, unclipRatio);
    if (Math.min(grown.width, grown.height) < MIN_SIDE + 2) continue;
    regions.push({ corners: toImage(rectCorners(grown), image, width, height), score });
  }
  return regions;
}

/** Mean of the map over the pixels whose centre is in the rectangle. */
function meanInside(values: ArrayLike<number>, width: number, height: number, rect: RotatedRect): number {
  const corners = rectCorners(rect);
  const xs = corners.map((corner) => corner.x);
  const ys = corners.map((corner) => corner.y);
  let sum = 0;
  let count = 0;
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= Math.min(height - 1, Math.max(...ys)); y += 1) {
    for (
      let x = Math.max(0, Math.floor(Math.min(...xs)));
      x <= Math.min(width - 1, Math.max(...xs));
      x += 1
    ) {
      if (!insideConvex(corners, { x, y })) continue;
      sum += values[y * width + x] ?? 0;
      count += 1;
    }
  }
  return count === 0 ? 0 : sum / count;
}

/** Map pixels to image pixels (both scaled about pixel edges), kept inside the image. */
function toImage(corners: FourPoints, image: RgbImage, width: number, height: number): FourPoints {
  const scale = ({ x, y }: Point): Point => ({
    x: Math.min(image.width - 1, Math.max(0, ((x + 0.5) * image.width) / width - 0.5)),
    y: Math.min(image.height - 1, Math.max(0, ((y + 0.5) * image.height) / height - 0.5)),
  });
  const [a, b, c, d] = corners;
  return [scale(a), scale(b), scale(c), scale(d)];
}
