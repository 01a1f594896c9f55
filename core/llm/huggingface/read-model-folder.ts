import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';

import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import type { DecoderConfig } from '../decoder/config';
import { floatType, type GgmlType } from '../gguf/ggml-types';
import { badModel, unsupportedModel } from '../source/model-errors';
import type { ModelSource, StoredTensor } from '../source/model-source';
import { decoderConfigOfFolder } from './folder-config';
import { modelFolder, readFolderJson, readFolderText } from './folder-file';
import { tokenizerOfFolder, type TokenizerFiles } from './folder-tokenizer';
import { decoderName, folderName, isDerived } from './tensor-names';
import { INDEX_FILE, readWeights, SINGLE_FILE, weightFiles, type PlacedTensor } from './weight-files';

/** Far above those in use: some KiB, and some tens of MiB of vocabulary. */
const MAX_CONFIG_BYTES = 4 << 20;
const MAX_TOKENIZER_BYTES = 128 << 20;
const CONFIG_FILE = 'config.json';
const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
const GENERATION_CONFIG_FILE = 'generation_config.json';
const CHAT_TEMPLATE_FILE = 'chat_template.jinja';
/** What a folder may hold besides its weights, of what is read. */
export const FOLDER_FILES: readonly string[] = [
  CONFIG_FILE,
  TOKENIZER_FILE,
  TOKENIZER_CONFIG_FILE,
  GENERATION_CONFIG_FILE,
  CHAT_TEMPLATE_FILE,
];
const READABLE_DTYPES = ['F32', 'F16', 'BF16'] as const;

/**
 * Reads a folder as transformers saves a model: configuration, tokenizer, and where the tensors of its safetensors files
 * stand. No tensor is read.
 * @throws SluiceError `not-found`, `bad-model`, `unsupported` (architecture, dtype, ...), `io`, `cancelled`.
 */
export async function readModelFolder(
  folder: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ModelSource> {
  const settings = await readFolderSettings(folder);
  const weights = await readWeights(settings.path, signal);
  return { ...settings, tensors: byDecoderName(settings, settings.config, weights), tensorName: folderName };
}

/**
 * Reads what a folder's model is, without its weights: they may be still to come.
 * @throws SluiceError as `readModelFolder`.
 */
export async function readFolderSettings(
  folder: string,
): Promise<Pick<ModelSource, 'path' | 'kind' | 'config' | 'tokenizer'>> {
  const named = modelFolder(path.resolve(folder));
  await requireFolder(named.path);
  const json = await readFolderJson(named.path, CONFIG_FILE, MAX_CONFIG_BYTES);
  if (json === undefined) throw badModel(named, `expected a ${CONFIG_FILE}, found none`);
  const config = decoderConfigOfFolder(named, json);
  const files = await readTokenizerFiles(named.path, json);
  return { ...named, config, tokenizer: () => tokenizerOfFolder(named, files) };
}

/**
 * Names of the files of a folder that are read, weights last.
 * @throws SluiceError as `readModelFolder`.
 */
export async function modelFolderFiles(folder: string): Promise<readonly string[]> {
  const fullPath = path.resolve(folder);
  await requireFolder(fullPath);
  const weights = await weightFiles(fullPath);
  const index = weights[0] === SINGLE_FILE ? [] : [INDEX_FILE];
  const present = FOLDER_FILES.filter((name) => existsSync(path.join(fullPath, name)));
  return [...present, ...index, ...weights];
}

async function requireFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) return;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't read ${folder}`, cause);
  }
  throw new SluiceError('not-found', `There is no folder ${folder}. Give the path of a model's folder.`);
}

async function readTokenizerFiles(folder: string, config: unknown): Promise<TokenizerFiles> {
  return {
    tokenizer: await readFolderJson(folder, TOKENIZER_FILE, MAX_TOKENIZER_BYTES),
    tokenizerConfig: await readFolderJson(folder, TOKENIZER_CONFIG_FILE, MAX_TOKENIZER_BYTES),
    generationConfig: await readFolderJson(folder, GENERATION_CONFIG_FILE, MAX_CONFIG_BYTES),
    config,
    chatTemplate: await readFolderText(folder, CHAT_TEMPLATE_FILE, MAX_CONFIG_BYTES),
  };
}

function byDecoderName(
  source: Pick<ModelSource, 'path' | 'kind'>,
  { architecture, tiedEmbeddings }: DecoderConfig,
  weights: readonly PlacedTensor[],
): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, dims, file, offset, byteLength } of weights) {
    // A head that is saved although the embedding is its weight is not read by transformers either.
    if (isDerived(name) || (tiedEmbeddings && name === 'lm_head.weight')) continue;
    const known = decoderName(name);
    if (known === undefined) {
      const problem = `the architecture '${architecture}' has no tensor '${name}'; the model has parts that can't be run`;
      throw unsupportedModel(source, problem);
    }
    tensors.set(known, { name, dims, type: typeOf(source, name, dtype), file, offset, byteLength });
  }
  return tensors;
}

function typeOf(source: Pick<ModelSource, 'path'>, name: string, dtype: string): GgmlType {
  const readable = READABLE_DTYPES.find((known) => known === dtype);
  if (readable) return floatType(readable);
  throw unsupportedModel(
    source,
    `tensor '${name}' is stored as ${dtype}, which can't be read; ${READABLE_DTYPES.join(', ')} can`,
  );
}
