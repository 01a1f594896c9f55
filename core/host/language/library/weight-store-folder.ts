import { createHash } from 'node:crypto';
import { dirname, join, resolve, sep } from 'node:path';

import { languageFolder } from './language-folder';

const NAME_DIGITS = 16;

/**
 * Where a model's weights are laid out for streaming: a model of the library has them in its folder, with which they go;
 * for a file or folder from anywhere they are below the data folder's `cache`, which may be removed at any time.
 */
export function weightStoreFolder(dataDir: string, modelPath: string): string {
  const path = resolve(modelPath);
  if (path.startsWith(languageFolder(resolve(dataDir)) + sep)) return join(dirname(path), 'streamed-weights');
  const name = createHash('sha256').update(path).digest('hex').slice(0, NAME_DIGITS);
  return join(dataDir, 'cache', 'streamed-weights', name);
}
