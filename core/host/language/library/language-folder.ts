import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const MANIFEST_FILE = 'manifest.json';

/** Where language models are kept, each in a folder of its name. */
export function languageFolder(dataDir: string): string {
  return join(dataDir, 'language');
}

/** Whether there is a language model of that name. */
export function hasLanguageModel(dataDir: string, name: string): boolean {
  return existsSync(join(languageFolder(dataDir), name, MANIFEST_FILE));
}
