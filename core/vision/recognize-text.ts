import { SluiceError } from '../contract';
import { ctcGreedyDecode } from './ctc';
import type { Decoded } from './ctc';
import type { RgbImage } from './image';
import { resizeBilinear } from './resize';
import { asFloats } from './tensor';
import type { Tensor } from './tensor';

/** The height the PP-OCR v3/v4 recognizers are trained for, pixels. */
const STRIP_HEIGHT = 48;
/** Widths are multiples of this: each width the engine has not seen costs it a new memory plan. */
const WIDTH_STEP = 160;
/** The narrowest strip; shorter text is padded to it, as in training (3 x 48 x 320). */
const MIN_WIDTH = 320;
/** Longer lines are squeezed to it: 53 times as wide as high. */
const MAX_WIDTH = 2560;

/** Width of the recognizer's input for a crop, pixels: one of few values, never narrower than the scaled crop. */
export function stripWidth(crop: RgbImage): number {
  const scaled = Math.ceil((STRIP_HEIGHT * crop.width) / crop.height);
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.ceil(scaled / WIDTH_STEP) * WIDTH_STEP));
}

/**
 * The recognizer's input [1, 3, 48, W], float32, BGR in [-1, 1], from an upright crop of one line of text: scaled to
 * the height, padded on the right with 0 (mid gray) as PaddleOCR pads.
 */
export function recognitionInput(crop: RgbImage): Tensor {
  const width = stripWidth(crop);
  const scaled = Math.min(width, Math.max(1, Math.ceil((STRIP_HEIGHT * crop.width) / crop.height)));
  const strip = resizeBilinear(crop, scaled, STRIP_HEIGHT);
  const plane = width * STRIP_HEIGHT;
  const values = new Float32Array(plane * 3);
  for (let y = 0; y < STRIP_HEIGHT; y += 1) {
    for (let x = 0; x < scaled; x += 1) {
      const from = (y * scaled + x) * 3;
      for (let c = 0; c < 3; c += 1) {
        values[c * plane + y * width + x] = (strip.data[from + 2 - c] ?? 0) / 127.5 - 1;
      }
    }
  }
  return { dtype: 'float32', shape: [1, 3, STRIP_HEIGHT, width], data: values };
}

/**
 * Reads the recognizer's output.
 * @param output [1, steps, classes], softmax done.
 * @param alphabet from `parseOcrKeys`.
 * @throws SluiceError `bad-input` when the network and the key file don't belong together.
 */
export function textFromOutput(output: Tensor, alphabet: readonly string[]): Decoded {
  const [batch, steps = 0, classes] = output.shape;
  if (output.shape.length !== 3 || batch !== 1 || classes !== alphabet.length) {
    throw new SluiceError(
      'bad-input',
      `The text recognizer's output is [${output.shape.join(', ')}]; expected [1, steps, ${alphabet.length}]: ` +
        `a blank, ${alphabet.length - 2} keys and a space. Use the key file made for this network.`,
      { shape: output.shape.join(','), classes: alphabet.length },
    );
  }
  return ctcGreedyDecode(asFloats(output), steps, alphabet);
}
