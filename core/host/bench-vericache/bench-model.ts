import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { SluiceError } from '../../contract';

/** Where `scripts/smollm2.mjs` keeps the model. */
const FETCHED = join('.cache', 'smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf');

/** @param given by the user. @throws SluiceError `not-found`. */
export function benchModel(appRoot: string, given: string | undefined): string {
  const path = given === undefined ? join(appRoot, FETCHED) : resolve(given);
  if (existsSync(path)) return path;
  throw new SluiceError(
    'not-found',
    given === undefined
      ? `SmolLM2 is not at ${path}. Fetch it with "node scripts/smollm2.mjs", or give --model FILE.gguf.`
      : `There is no model at ${path}.`,
    { path },
  );
}
