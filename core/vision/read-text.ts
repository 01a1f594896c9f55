import type { RunResult } from '../contract';
import { detectionInput, regionsFromMap } from './detect-text';
import type { DetectionOptions } from './detect-text';
import { quadFromPoints, quadPoints } from './geometry';
import type { RgbImage } from './image';
import { rectify } from './perspective';
import { groupIntoLines } from './reading-order';
import { recognitionInput, textFromOutput } from './recognize-text';
import { firstOutput } from './tensor';
import type { TensorRunner } from './tensor';

export type TextResult = Extract<RunResult, { kind: 'text' }>;

/** The two networks of PP-OCR and the alphabet of the second. */
export interface TextNetworks {
  readonly detect: TensorRunner;
  readonly recognize: TensorRunner;
  /** From `parseOcrKeys`. */
  readonly keys: readonly string[];
  /** Input names; PaddleOCR's exports call both `x`, the default. */
  readonly detectInput?: string;
  readonly recognizeInput?: string;
}

export interface ReadTextOptions extends DetectionOptions {
  /** Lines read with less confidence are dropped. Default 0.5. */
  readonly minConfidence?: number;
}

/**
 * Reads the text in an image: one detector run, then one recognizer run a region, one after the other. Lines come in
 * reading order. Cancel by letting a runner reject: what it throws passes through.
 * @throws SluiceError `bad-input` when a network is not what its role needs.
 */
export async function readText(
  image: RgbImage,
  networks: TextNetworks,
  options: ReadTextOptions = {},
): Promise<TextResult> {
  const { detect, recognize, keys, detectInput = 'x', recognizeInput = 'x' } = networks;
  const detected = await detect(new Map([[detectInput, detectionInput(image, options.maxSide)]]));
  const regions = regionsFromMap(firstOutput(detected, 'Text detection'), image, options);
  const ordered = groupIntoLines(regions.map((region) => ({ quad: quadFromPoints(region.corners) }))).flat();
  const lines: { text: string; confidence: number; quad: (typeof ordered)[number]['quad'] }[] = [];
  for (const { quad } of ordered) {
    const strip = recognitionInput(rectify(image, quadPoints(quad)));
    const output = firstOutput(await recognize(new Map([[recognizeInput, strip]])), 'Text recognition');
    const { text, confidence } = textFromOutput(output, keys);
    if (text.trim() !== '' && confidence >= (options.minConfidence ?? 0.5))
      lines.push({ text, confidence, quad });
  }
  return { kind: 'text', width: image.width, height: image.height, lines };
}

/** The text as a reader would type it: boxes that stand side by side joined by a space, one line each. */
export function plainText(result: TextResult): string {
  return groupIntoLines(result.lines)
    .map((line) => line.map((box) => box.text.trim()).join(' '))
    .join('\n');
}
