import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { CACHE } from './paths.mjs';
import { run } from './process.mjs';

const INSTALL_MS = 5 * 60_000;

/**
 * Installs a Python package into a virtual environment of its own below .cache, with pip, from wherever pip is set up to
 * fetch.
 *
 * @param {string} name of the environment's folder
 * @param {string} requirement as pip reads it
 * @param {string} imports modules that must be there then, `a, b.c`
 * @returns {Promise<{python: string} | {problem: string}>} the interpreter that can import it, or why there is none.
 */
export async function ensureVenv(name, requirement, imports) {
  const venv = join(CACHE, name);
  const stamp = join(venv, 'installed');
  const python =
    process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
  if (existsSync(stamp)) return { python };
  return withLock(join(CACHE, `${name}.lock`), async () => {
    if (existsSync(stamp)) return { python };
    // What an earlier, broken-off try left.
    rmSync(venv, { recursive: true, force: true });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement];
    const problem =
      (await failureOf('python3', ['-m', 'venv', venv])) ??
      (await failureOf(python, pip)) ??
      (await failureOf(python, ['-c', `import ${imports}`]));
    if (problem !== undefined) return { problem };
    writeFileSync(stamp, requirement);
    return { python };
  });
}

/** @returns {Promise<string | undefined>} its last lines when the command failed */
async function failureOf(command, args) {
  const { code, output, timedOut } = await run(command, args, { timeoutMs: INSTALL_MS });
  if (code === 0) return undefined;
  const why = timedOut ? `took longer than ${INSTALL_MS / 60_000} minutes` : lastLines(output, 5);
  return `"${command} ${args.slice(0, 3).join(' ')} ..." failed: ${why}`;
}
