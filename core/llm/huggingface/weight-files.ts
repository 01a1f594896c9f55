import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { badModel } from '../source/model-errors';
import { modelFolder, readFolderJson } from './folder-file';
import { readSafetensors, type SafeTensor } from './safetensors';

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';
/** 100,000 tensors and more. */
const MAX_INDEX_BYTES = 16 << 20;
/** The largest models in use come in fewer than 200. */
const MAX_FILES = 2000;
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });
/** A file beside the index: no path, and no name that a system takes for one. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/;

export interface PlacedTensor extends SafeTensor {
  /** Absolute path. */
  readonly file: string;
}

/**
 * Names of the files that hold a model's weights: `model.safetensors`, else those its index names.
 * @param folder absolute path.
 * @throws SluiceError `bad-model` (no weights, an index that leaves the folder), `io`.
 */
export async function weightFiles(folder: string): Promise<readonly string[]> {
  return existsSync(path.join(folder, SINGLE_FILE)) ? [SINGLE_FILE] : indexedFiles(folder);
}

/** Names of the files that a folder's index names, there or not. @throws SluiceError as `weightFiles`. */
export async function indexedFiles(folder: string): Promise<readonly string[]> {
  const files = filesOfIndex(folder, await readIndex(folder));
  return files.length > 0 ? files : noWeights(folder);
}

/**
 * Where every tensor of a folder stands.
 * @throws SluiceError as `weightFiles` and `readSafetensors`, `bad-model` when an index contradicts its files.
 */
export async function readWeights(folder: string, signal?: AbortSignal): Promise<readonly PlacedTensor[]> {
  const files = await weightFiles(folder);
  const tensors = new Map<string, PlacedTensor>();
  for (const name of files) {
    if (signal?.aborted) throw new SluiceError('cancelled', `Reading ${folder} was cancelled.`);
    const file = path.join(folder, name);
    for (const tensor of await readSafetensors(file)) {
      const other = tensors.get(tensor.name);
      if (other) {
        const problem = `tensor '${tensor.name}' is in ${path.basename(other.file)} and in ${name}`;
        throw badModel(modelFolder(folder), problem, { tensor: tensor.name });
      }
      tensors.set(tensor.name, { ...tensor, file });
    }
  }
  if (files[0] !== SINGLE_FILE) compareWithIndex(folder, await readIndex(folder), tensors);
  return [...tensors.values()];
}

type WeightMap = Readonly<Record<string, string>>;

async function readIndex(folder: string): Promise<WeightMap> {
  const json = await readFolderJson(folder, INDEX_FILE, MAX_INDEX_BYTES);
  if (json === undefined) return noWeights(folder);
  const parsed = indexSchema.safeParse(json);
  if (parsed.success) return parsed.data.weight_map;
  const faults = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw badModel(modelFolder(folder), `${INDEX_FILE}: ${faults.join('; ')}`);
}

function filesOfIndex(folder: string, map: WeightMap): readonly string[] {
  const files = [...new Set(Object.values(map))].sort();
  const outside = files.find((name) => !PLAIN_NAME.test(name));
  if (outside !== undefined) {
    const problem = `${INDEX_FILE} names '${outside}'; expected the plain name of a .safetensors file beside it`;
    throw badModel(modelFolder(folder), problem);
  }
  if (files.length <= MAX_FILES) return files;
  throw badModel(
    modelFolder(folder),
    `${INDEX_FILE} names ${files.length} files; up to ${MAX_FILES} are in use`,
  );
}

function compareWithIndex(folder: string, map: WeightMap, tensors: ReadonlyMap<string, PlacedTensor>): void {
  for (const [name, file] of Object.entries(map)) {
    if (path.basename(tensors.get(name)?.file ?? '') === file) continue;
    const problem = `${INDEX_FILE} says that tensor '${name}' is in ${file}, which has none of that name`;
    throw badModel(modelFolder(folder), problem, { tensor: name });
  }
  const stray = [...tensors.values()].find(({ name }) => !Object.hasOwn(map, name));
  if (!stray) return;
  const problem = `tensor '${stray.name}' in ${path.basename(stray.file)} is not in ${INDEX_FILE}`;
  throw badModel(modelFolder(folder), problem, { tensor: stray.name });
}

async function noWeights(folder: string): Promise<never> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw ioError(`Can't list ${folder}`, cause);
  });
  const others = names.filter((name) => /\.(bin|pt|pth|h5|msgpack|gguf|safetensors)$/.test(name)).slice(0, 5);
  throw badModel(
    modelFolder(folder),
    `expected ${SINGLE_FILE} or ${INDEX_FILE}, found ${others.length > 0 ? others.join(', ') : 'no weights'}`,
  );
}
