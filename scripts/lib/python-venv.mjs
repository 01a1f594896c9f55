import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { CACHE } from './paths.mjs';
import { run } from './process.mjs';

const INSTALL_MS = 5 * 60_000;

/**
 * Installs a Python package with what it needs into a virtual environment of its own below .cache, once.
 *
 * @param {string} name of its folder there.
 * @param {string} requirement as pip takes it.
 * @param {string} modules that can be imported when all is well, as after `import`.
 * @returns {Promise<{python: string} | {problem: string}>} the interpreter that can import them, or why there is none.
 */
export async function ensureVenv(name, requirement, modules) {
  const venv = join(CACHE, name);
  const stamp = join(venv, 'installed');
  const python =
    process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
  if (existsSync(stamp)) return { python };
  return withLock(join(CACHE, `${name}.lock`), async () => {
    if (existsSync(stamp)) return { python };
    // What an earlier, broken-off try left.
    rmSync(venv, { recursive: true, force: true });
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement];
    const problem =
      (await failureOf('python3', ['-m', 'venv', venv])) ??
      (await failureOf(python, install)) ??
      (await failureOf(python, ['-c', `import ${modules}`]));
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
