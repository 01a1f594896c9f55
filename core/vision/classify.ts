import { SluiceError } from '../contract';
import type { RunResult, TensorSpec } from '../contract';
import type { RgbImage } from './image';
import { imageTensor } from './preprocess';
import type { ImageInput, PresetName } from './preprocess';
import { asFloats, firstOutput } from './tensor';
import type { Tensor, TensorRunner } from './tensor';

export type ClassificationResult = Extract<RunResult, { kind: 'classification' }>;

/** What a network needs and gives when it classifies images. */
export interface ClassifierShape {
  readonly input: ImageInput;
  /** How many classes it tells apart. */
  readonly labels: number;
}

/** Height and width for inputs that leave them free. */
const DEFAULT_SIDE = 224;

/**
 * Whether a network looks like an image classifier, and its shape: one image-like input ([N, C, H, W] or [N, H, W, C]
 * with 1 or 3 channels, batch 1 or free, float or uint8) and one floating output of [N, classes], a trailing or middle
 * 1 x 1 allowed. Dimensions of -1 are free; the class count must be fixed. Undefined when it does not.
 */
export function classifierShape(
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): ClassifierShape | undefined {
  const [inputSpec, ...otherInputs] = inputs;
  const [outputSpec, ...otherOutputs] = outputs;
  if (!inputSpec || !outputSpec || otherInputs.length > 0 || otherOutputs.length > 0) return undefined;
  const input = imageInput(inputSpec);
  const labels = classCount(outputSpec);
  return input && labels !== undefined ? { input, labels } : undefined;
}

/** See `classifierShape`. */
export function isClassifier(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): boolean {
  return classifierShape(inputs, outputs) !== undefined;
}

function imageInput({ name, dtype, shape }: TensorSpec): ImageInput | undefined {
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'uint8') return undefined;
  const [batch = 0, second = 0, third = 0, last = 0] = shape;
  if (shape.length !== 4 || (batch !== 1 && batch !== -1)) return undefined;
  const side = (dim: number): number => (dim === -1 ? DEFAULT_SIDE : dim);
  const isSide = (dim: number): boolean => dim === -1 || dim >= 8;
  if ((second === 1 || second === 3) && isSide(third) && isSide(last)) {
    return { name, dtype, layout: 'NCHW', channels: second, height: side(third), width: side(last) };
  }
  if ((last === 1 || last === 3) && isSide(second) && isSide(third)) {
    return { name, dtype, layout: 'NHWC', channels: last, height: side(second), width: side(third) };
  }
  return undefined;
}

function classCount({ dtype, shape }: TensorSpec): number | undefined {
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'float64') return undefined;
  const [batch = 0, ...rest] = shape;
  if (batch !== 1 && batch !== -1) return undefined;
  const wide = rest.filter((dim) => dim !== 1);
  const [classes = 0] = wide;
  return (rest.length === 1 || rest.length === 3) && wide.length === 1 && classes >= 2 ? classes : undefined;
}

/** The image as this network's input, ready for a runner. */
export function classifierInput(
  image: RgbImage,
  shape: ClassifierShape,
  preset: PresetName = 'imagenet',
): ReadonlyMap<string, Tensor> {
  return new Map([[shape.input.name, imageTensor(image, shape.input, preset)]]);
}

/**
 * The `k` most probable classes, most probable first; equal ones in class order. Scores that are not already
 * probabilities (in [0, 1], sum 1 within 0.01) go through softmax.
 * @throws SluiceError `runtime` when a score is not finite or there are none.
 */
export function topK(output: Tensor, labels: readonly string[], k = 5): ClassificationResult['top'] {
  const scores = asFloats(output);
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (scores.length === 0 || bad >= 0) {
    const found = scores.length === 0 ? 'no scores' : `${scores[bad]} for class ${bad}`;
    throw new SluiceError(
      'runtime',
      `Classification: expected a finite score for each class; found ${found}.`,
    );
  }
  const probabilities = asProbabilities(scores);
  // By score: close scores can round to one probability.
  const ranked = Array.from(probabilities, (probability, index) => ({ index, probability }));
  ranked.sort((a, b) => (scores[b.index] ?? 0) - (scores[a.index] ?? 0) || a.index - b.index);
  return ranked
    .slice(0, k)
    .map(({ index, probability }) => ({ index, label: labels[index] ?? `class ${index}`, probability }));
}

function asProbabilities(scores: Float32Array | Float64Array): Float64Array {
  let sum = 0;
  let max = -Infinity;
  let min = Infinity;
  for (const score of scores) {
    sum += score;
    max = Math.max(max, score);
    min = Math.min(min, score);
  }
  if (min >= 0 && max <= 1.001 && Math.abs(sum - 1) < 0.01) return Float64Array.from(scores);
  const exponentials = Float64Array.from(scores, (score) => Math.exp(score - max));
  const total = exponentials.reduce((all, value) => all + value, 0);
  return exponentials.map((value) => value / total);
}

export interface ClassifyOptions {
  /** From `loadLabels`. */
  readonly labels: readonly string[];
  readonly preset?: PresetName;
  /** Classes to report. Default 5. */
  readonly k?: number;
}

/** Pre-processing, one run, and the best classes. */
export async function classify(
  image: RgbImage,
  shape: ClassifierShape,
  run: TensorRunner,
  { labels, preset = 'imagenet', k = 5 }: ClassifyOptions,
): Promise<ClassificationResult> {
  const outputs = await run(classifierInput(image, shape, preset));
  const top = topK(firstOutput(outputs, 'Classification'), labels, k);
  return { kind: 'classification', width: image.width, height: image.height, top };
}
