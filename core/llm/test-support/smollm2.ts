import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { expect, type TestContext } from 'vitest';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
/** The first time, the model is fetched. */
export const SMOLLM2_SET_UP_MS = 10 * 60_000;

/**
 * The path of SmolLM2-135M-Instruct as a GGUF file. Where it can't be had, the test is skipped and says why; in CI it
 * fails.
 */
export async function smolLm2(test: TestContext): Promise<string> {
  const { stdout } = await run(process.execPath, [resolve(ROOT, 'scripts/smollm2.mjs')]);
  const { model, problem = 'no reason was given' } = JSON.parse(stdout) as {
    model?: string;
    problem?: string;
  };
  if (model !== undefined) return model;
  const message = `SmolLM2-135M-Instruct could not be fetched: ${problem}`;
  if (process.env['CI'] === 'true') expect.unreachable(message);
  return test.skip(message);
}
