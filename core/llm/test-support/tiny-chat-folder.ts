import { rmSync, writeFileSync } from 'node:fs';

import { readGguf } from '../gguf/read-gguf';
import { tokenizerFromGguf } from '../tokenizer/gguf-tokenizer';
import { ggufBytes } from './gguf-writer';
import { tinyChatModelParts, type TinyChatModelOptions } from './tiny-chat-model';
import { writeTinyFolder, type TinyFolderOptions } from './tiny-folder';

/** Writes the tiny chat model as transformers would save it, by default in BF16. */
export async function writeTinyChatFolder(
  folder: string,
  { weights = 'BF16', ...options }: TinyChatModelOptions & Omit<TinyFolderOptions, 'tokenizer'> = {},
): Promise<void> {
  const parts = tinyChatModelParts({ weights, ...options });
  const file = `${folder}.tokenizer.gguf`;
  writeFileSync(file, ggufBytes({ ...parts, tensors: [] }));
  const tokenizer = tokenizerFromGguf(await readGguf(file));
  rmSync(file);
  writeTinyFolder(folder, parts, { ...options, tokenizer });
}
