import { SluiceError } from '../contract';

/** What a recognizer read in one strip. */
export interface Decoded {
  readonly text: string;
  /** Mean probability of the kept steps, 0 to 1; 0 for an empty text. */
  readonly confidence: number;
}

/**
 * A gap between two characters holds a space when the space's probabilities over the gap's steps add up to this. PP-OCR's
 * Chinese recognizers rarely let a space win a step (their training text seldom has one): over the example images
 * real gaps sum to 0.04 and more, other gaps to less than 0.006.
 */
const SPACE_THRESHOLD = 0.015;

/** From here on scripts are written without spaces (CJK radicals, kana, ideographs, full-width forms). */
const FIRST_CJK = 0x2e80;

/**
 * Greedy CTC decoding (Graves et al. 2006): the best class of each step, repeats merged, blanks dropped; and a space
 * between two characters outside CJK where `SPACE_THRESHOLD` says so.
 * @param probabilities [steps, alphabet.length], row-major, softmax done.
 * @param alphabet class texts; class 0 is the blank, the last one the space.
 */
export function ctcGreedyDecode(
  probabilities: ArrayLike<number>,
  steps: number,
  alphabet: readonly string[],
): Decoded {
  const classes = alphabet.length;
  const space = classes - 1;
  let text = '';
  let kept = 0;
  let sum = 0;
  let previous = 0;
  let gapSpace = 0;
  for (let step = 0; step < steps; step += 1) {
    const best = bestClass(probabilities, step * classes, classes);
    if (best === 0) gapSpace += probabilities[step * classes + space] ?? 0;
    else if (best !== previous) {
      const next = alphabet[best] ?? '';
      if (gapSpace > SPACE_THRESHOLD && takesSpace(text, next)) text += ' ';
      text += next;
      sum += probabilities[step * classes + best] ?? 0;
      kept += 1;
    }
    if (best !== 0) gapSpace = 0;
    previous = best;
  }
  return { text, confidence: kept === 0 ? 0 : sum / kept };
}

function bestClass(probabilities: ArrayLike<number>, from: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c += 1) {
    if ((probabilities[from + c] ?? 0) > (probabilities[from + best] ?? 0)) best = c;
  }
  return best;
}

function takesSpace(before: string, after: string): boolean {
  const last = before.at(-1);
  if (last === undefined || last === ' ' || after === ' ') return false;
  return (last.codePointAt(0) ?? 0) < FIRST_CJK && (after.codePointAt(0) ?? 0) < FIRST_CJK;
}

/**
 * The recognizer's alphabet from a PaddleOCR key file (one character a line): the blank first, a space last.
 * @throws SluiceError `bad-input` for a file without characters.
 */
export function parseOcrKeys(text: string): readonly string[] {
  const keys = text.split(/\r?\n/).filter((key) => key !== '');
  if (keys.length === 0) {
    throw new SluiceError(
      'bad-input',
      'The recognizer key file is empty; expected one character on each line.',
    );
  }
  return ['', ...keys, ' '];
}
