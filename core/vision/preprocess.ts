import type { RgbImage } from './image';
import { crop, resizeBilinear } from './resize';
import { floatTensor } from './tensor';
import type { Tensor } from './tensor';

/** value = (byte / 255 - mean) / std, per RGB channel. */
interface Normalization {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** How networks expect their pixels. */
export const PRESETS = {
  /** torchvision, timm, the ONNX model zoo: ImageNet's own mean and deviation. */
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  /** TensorFlow slim and Keras MobileNet, Inception, EfficientNet-lite: -1 to 1. */
  tf: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  /** 0 to 1. */
  unit: { mean: [0, 0, 0], std: [1, 1, 1] },
  /** 0 to 255. */
  raw: { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] },
} as const satisfies Record<string, Normalization>;

export type PresetName = keyof typeof PRESETS;

/** The image input of a network. */
export interface ImageInput {
  readonly name: string;
  readonly dtype: 'float32' | 'float16' | 'uint8';
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
}

/** The part of the resized shorter side that the crop keeps: 224 of 256, as evaluation on ImageNet has it. */
const CROP_FRACTION = 224 / 256;

/**
 * Scales the image so that `width` x `height` is 7/8 of it in the tighter direction (shorter side 256 for 224 x 224),
 * and cuts the centre out.
 */
export function resizeAndCrop(image: RgbImage, width: number, height: number): RgbImage {
  const scale = Math.max(width / image.width, height / image.height) / CROP_FRACTION;
  const scaledWidth = Math.max(width, Math.round(image.width * scale));
  const scaledHeight = Math.max(height, Math.round(image.height * scale));
  const scaled = resizeBilinear(image, scaledWidth, scaledHeight);
  const left = Math.round((scaledWidth - width) / 2);
  const top = Math.round((scaledHeight - height) / 2);
  return crop(scaled, left, top, width, height);
}

/**
 * An image as the input of a classifier, batch 1. A `uint8` input takes the bytes as they are, whatever the preset; one
 * channel is luma (ITU-R BT.601) with the mean of the preset's figures.
 */
export function imageTensor(image: RgbImage, input: ImageInput, preset: PresetName): Tensor {
  const { width, height, channels, layout, dtype } = input;
  const pixels = channelBytes(resizeAndCrop(image, width, height), channels);
  const shape = layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
  const plane = width * height;
  const ordered = new Float32Array(plane * channels);
  const { mean, std } = dtype === 'uint8' ? PRESETS.raw : PRESETS[preset];
  for (let c = 0; c < channels; c += 1) {
    const [offset, deviation] = channels === 1 ? [average(mean), average(std)] : [mean[c] ?? 0, std[c] ?? 1];
    for (let i = 0; i < plane; i += 1) {
      const value = ((pixels[i * channels + c] ?? 0) / 255 - offset) / deviation;
      ordered[layout === 'NCHW' ? c * plane + i : i * channels + c] = value;
    }
  }
  if (dtype === 'uint8') return { dtype, shape, data: Uint8Array.from(ordered, Math.round) };
  return floatTensor(dtype, shape, ordered);
}

function channelBytes(image: RgbImage, channels: 1 | 3): Uint8Array {
  if (channels === 3) return image.data;
  const luma = new Uint8Array(image.width * image.height);
  for (let i = 0; i < luma.length; i += 1) {
    const [r = 0, g = 0, b = 0] = image.data.subarray(i * 3, i * 3 + 3);
    luma[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  }
  return luma;
}

function average([a, b, c]: readonly [number, number, number]): number {
  return (a + b + c) / 3;
}
