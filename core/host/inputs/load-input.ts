import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { ModelSummary, RunInput, TensorSpec } from '../../contract';
import { ioError } from '../../storage';
import {
  checkTensors,
  decodeImage,
  EXAMPLES,
  exampleImagePath,
  makeRandomInputs,
  parseNpy,
  parseTensorJson,
} from '../../vision';
import type { RgbImage, Tensor } from '../../vision';
import { imageType } from './image-type';

/** Larger input files are mistakes: an image of 64 megapixels or a tensor as JSON stays below. */
const MAX_INPUT_BYTES = 512 * 2 ** 20;

/** What a model is fed: a picture that has to be prepared, or tensors as they are. */
export type LoadedInput =
  | { readonly kind: 'image'; readonly image: RgbImage }
  | { readonly kind: 'tensors'; readonly tensors: ReadonlyMap<string, Tensor> };

interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What people call an input. */
export function inputName(input: RunInput): string {
  switch (input.kind) {
    case 'example':
      return EXAMPLES.find(({ id }) => id === input.id)?.title ?? input.id;
    case 'file':
      return basename(input.path);
    case 'bytes':
      return input.name;
    case 'random':
      return `random (seed ${input.seed})`;
  }
}

/** @throws SluiceError `not-found` for an example there is none of, or a missing file; `io`; `bad-input`. */
async function bytesOf(input: Exclude<RunInput, { kind: 'random' }>, appRoot: string): Promise<NamedBytes> {
  if (input.kind === 'bytes') return input;
  if (input.kind === 'file') return { name: input.path, bytes: await readInputFile(input.path) };
  const path = exampleImagePath(appRoot, input.id);
  if (path === undefined) {
    const known = EXAMPLES.map(({ id }) => id);
    throw new SluiceError('not-found', `No example is called "${input.id}"; there are ${known.join(', ')}.`, {
      known,
    });
  }
  return { name: path, bytes: await exampleBytes(path) };
}

/** Examples that were read, by path: files of the application, which stay as they are. */
const readExamples = new Map<string, Uint8Array>();

/** Read once: while a profile measures the disk, every read of a file waits behind it. */
async function exampleBytes(path: string): Promise<Uint8Array> {
  const bytes = readExamples.get(path) ?? (await readInputFile(path));
  readExamples.set(path, bytes);
  return bytes;
}

async function readInputFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_INPUT_BYTES) {
      throw new SluiceError(
        'bad-input',
        `${path} has ${formatBytes(size)}; an input file may have ${formatBytes(MAX_INPUT_BYTES)}.`,
        { path },
      );
    }
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      throw ioError(`Can't read the input ${path}`, cause);
    throw new SluiceError('not-found', `No such input file: ${path}. Check the path.`, { path }, { cause });
  }
}

/**
 * Reads and decodes an input for a model.
 * @throws SluiceError `bad-input` with every fault when it does not fit the model; `not-found`, `io`.
 */
export async function loadInput(
  input: RunInput,
  model: Pick<ModelSummary, 'name' | 'task' | 'inputs'>,
  appRoot: string,
): Promise<LoadedInput> {
  if (input.kind === 'random') {
    if (model.task.kind === 'text') {
      throw new SluiceError(
        'bad-input',
        `${model.name} reads text in images; give it a picture, not random values.`,
      );
    }
    return { kind: 'tensors', tensors: makeRandomInputs(model.inputs, input.seed, input.freeDim) };
  }
  const { name, bytes } = await bytesOf(input, appRoot);
  const tensors = model.task.kind === 'text' ? undefined : tensorsIn(name, bytes, model.inputs);
  if (tensors) return { kind: 'tensors', tensors };
  if (model.task.kind === 'tensor') {
    throw new SluiceError(
      'bad-input',
      `${name}: ${model.name} takes tensors, expected a .json or .npy file` +
        `${imageType(bytes) ? ', found a picture' : ''}. Its inputs: ${specList(model.inputs)}.`,
      { name },
    );
  }
  return { kind: 'image', image: await decodeImage(bytes, { name }) };
}

function tensorsIn(
  name: string,
  bytes: Uint8Array,
  specs: readonly TensorSpec[],
): ReadonlyMap<string, Tensor> | undefined {
  const extension = extname(name).toLowerCase();
  if (extension === '.json') return parseTensorJson(new TextDecoder().decode(bytes), specs);
  if (extension !== '.npy') return undefined;
  const [only, ...others] = specs;
  if (!only || others.length > 0) {
    throw new SluiceError(
      'bad-input',
      `${name}: a .npy file holds one tensor, the model takes ${specs.length} (${specList(specs)}). Use .json.`,
      { name },
    );
  }
  const tensors = new Map([[only.name, parseNpy(bytes, name)]]);
  checkTensors(tensors, specs);
  return tensors;
}

function specList(specs: readonly TensorSpec[]): string {
  return specs.map(({ name, dtype, shape }) => `"${name}" ${dtype} [${shape.join(', ')}]`).join(', ');
}

/**
 * The picture behind an input, as the file has it.
 * @throws SluiceError `bad-input` when it is no picture: other files of the machine are not handed out.
 */
export async function inputImage(
  input: RunInput,
  appRoot: string,
): Promise<{ readonly mime: string; readonly bytes: Uint8Array }> {
  if (input.kind === 'random') throw new SluiceError('bad-input', 'Random input has no picture.');
  const { name, bytes } = await bytesOf(input, appRoot);
  const mime = imageType(bytes);
  if (mime === undefined) throw new SluiceError('bad-input', `${name} is not a picture.`, { name });
  return { mime, bytes: new Uint8Array(bytes) };
}
