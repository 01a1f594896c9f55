import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { CACHE } from './paths.mjs';
import { run } from './process.mjs';

/** Old enough for the Pythons in use, new enough to name every datatype. */
const REQUIREMENT = 'tritonclient[http,grpc]>=2.40,<3';
const VENV = join(CACHE, 'tritonclient');
const STAMP = join(VENV, 'installed');
const INSTALL_MS = 5 * 60_000;

/**
 * Installs the official Python client of the Open Inference Protocol, for HTTP and gRPC, into a virtual environment
 * of its own below .cache.
 *
 * @returns {Promise<{python: string} | {problem: string}>} the interpreter that can import it, or why there is none.
 */
export async function ensureTritonClient() {
  const python =
    process.platform === 'win32' ? join(VENV, 'Scripts', 'python.exe') : join(VENV, 'bin', 'python');
  if (existsSync(STAMP)) return { python };
  return withLock(join(CACHE, 'tritonclient.lock'), async () => {
    if (existsSync(STAMP)) return { python };
    // What an earlier, broken-off try left.
    rmSync(VENV, { recursive: true, force: true });
    const problem =
      (await failureOf('python3', ['-m', 'venv', VENV])) ??
      (await failureOf(python, [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        REQUIREMENT,
      ])) ??
      (await failureOf(python, ['-c', 'import tritonclient.http, tritonclient.grpc']));
    if (problem !== undefined) return { problem };
    writeFileSync(STAMP, REQUIREMENT);
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
