import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SluiceError } from '../contract';
import { imagenetLabelsPath } from './assets';

/** A user's own class names, one a line, in a file of this name beside the model. */
export const USER_LABEL_FILE = 'labels.txt';

/**
 * Names of a classifier's classes: from `labels.txt` beside the model when there is one; else ImageNet's for 1000 classes,
 * and for 1001 the same after "background" (TensorFlow's convention); else `class N`.
 * The ImageNet names are the first synonym of each WordNet synset of ILSVRC 2012, in class order, as listed in npm
 * `@tensorflow-models/mobilenet` 2.1.1 (Apache-2.0); three that would be ambiguous are told apart.
 * @param classes how many classes the network has.
 * @param modelFile path of the imported model, or undefined when it is not a file.
 * @throws SluiceError `bad-input` when `labels.txt` has another number of lines than the network has classes.
 */
export async function loadLabels(
  appRoot: string,
  classes: number,
  modelFile: string | undefined,
): Promise<readonly string[]> {
  const own = modelFile === undefined ? undefined : await readUserLabels(modelFile);
  if (own) return checkCount(own, classes);
  if (classes === 1000 || classes === 1001) {
    const imagenet = lines(await readFile(imagenetLabelsPath(appRoot), 'utf8'));
    return classes === 1000 ? imagenet : ['background', ...imagenet];
  }
  return Array.from({ length: classes }, (_, index) => `class ${index}`);
}

interface UserLabels {
  readonly path: string;
  readonly labels: readonly string[];
}

async function readUserLabels(modelFile: string): Promise<UserLabels | undefined> {
  const path = join(dirname(modelFile), USER_LABEL_FILE);
  try {
    return { path, labels: lines(await readFile(path, 'utf8')) };
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new SluiceError(
      'io',
      `Can't read the class names in ${path}: ${String(cause)}`,
      { path },
      { cause },
    );
  }
}

function checkCount({ path, labels }: UserLabels, classes: number): readonly string[] {
  if (labels.length === classes) return labels;
  throw new SluiceError(
    'bad-input',
    `${path} has ${labels.length} class names; expected ${classes}, one a line, as the network has ${classes} classes. ` +
      'Correct the file, or remove it to use the default names.',
    { path, found: labels.length, expected: classes },
  );
}

function lines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim());
}
