import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FALLBACK_DIST, fetchFallbackElectron } from './electron-fallback.mjs';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { CACHE, ROOT } from './paths.mjs';
import { run } from './process.mjs';
import { note, SetupError, step, warn } from './terminal.mjs';

/**
 * An Electron that can start this repository.
 *
 * @typedef {object} ElectronRuntime
 * @property {'pinned' | 'fallback'} kind
 * @property {string} version
 * @property {string} executablePath
 * @property {readonly string[]} appArgs what to pass first so that it starts this repository
 * @property {string} vulkanIcdPath SwiftShader's driver manifest, for VK_ICD_FILENAMES
 */

const PACKAGE_DIR = join(ROOT, 'node_modules', 'electron');

/**
 * The Electron that package.json pins, downloaded by its own installer when it isn't there yet.
 *
 * @param {number} timeoutMs for the download
 * @returns {Promise<ElectronRuntime>}
 * @throws SetupError saying why it can't be used on this machine.
 */
export async function pinnedElectron(timeoutMs = 10 * 60_000) {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_DIR, 'package.json'), 'utf8'));
  const installed = installedPath(version);
  const executablePath = installed ?? (await download(version, timeoutMs));
  await checkStarts(executablePath, version);
  return {
    kind: 'pinned',
    version,
    executablePath,
    appArgs: [ROOT],
    vulkanIcdPath: join(executablePath, '..', 'vk_swiftshader_icd.json'),
  };
}

/**
 * The pinned Electron, or else the fallback: for tests and previews only.
 *
 * @param {{downloadTimeoutMs?: number}} options
 * @returns {Promise<ElectronRuntime>}
 * @throws SetupError naming both reasons when neither can be used.
 */
export async function electronForTests({ downloadTimeoutMs = 3 * 60_000 } = {}) {
  try {
    return await pinnedElectron(downloadTimeoutMs);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    warn(error.message);
  }
  const runtime = await fetchFallbackElectron();
  await checkStarts(runtime.executablePath, runtime.version);
  note(`Electron ${runtime.version} stands in for the pinned one`);
  return runtime;
}

/** Driver manifest of the SwiftShader of an Electron that is there already; nothing is downloaded for it. */
export function installedVulkanDriver() {
  const candidates = [join(PACKAGE_DIR, 'dist'), FALLBACK_DIST].map((dist) =>
    join(dist, 'vk_swiftshader_icd.json'),
  );
  return process.platform === 'linux' ? candidates.find((path) => existsSync(path)) : undefined;
}

/** Path of the pinned binary if its installer has finished before, else `undefined`. */
function installedPath(version) {
  const pathFile = join(PACKAGE_DIR, 'path.txt');
  const versionFile = join(PACKAGE_DIR, 'dist', 'version');
  if (!existsSync(pathFile) || !existsSync(versionFile)) return undefined;
  if (readFileSync(versionFile, 'utf8').trim().replace(/^v/, '') !== version) return undefined;
  const path = join(PACKAGE_DIR, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(path) ? path : undefined;
}

async function download(version, timeoutMs) {
  return withLock(join(CACHE, 'electron.lock'), async () => {
    const present = installedPath(version);
    if (present !== undefined) return present;
    step(`Downloading Electron ${version} (about 110 MB, once)`);
    const result = await run(process.execPath, [join(PACKAGE_DIR, 'install.js')], { timeoutMs });
    const path = installedPath(version);
    if (result.code === 0 && path !== undefined) return path;
    // A download that was ended in the middle must not pass for an installed one.
    rmSync(join(PACKAGE_DIR, 'path.txt'), { force: true });
    const why = result.timedOut ? `it took longer than ${timeoutMs / 1000} s` : reason(result.output);
    throw new SetupError(
      `Electron ${version} could not be downloaded: ${why}. Behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1; ` +
        'for a mirror set ELECTRON_MIRROR.',
    );
  });
}

/** The line of the downloader's output that tells what went wrong. */
function reason(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => /error|fail|requires/i.test(line)) ?? lastLines(output, 1);
}

/** As plain Node it needs no display, but still loads every shared library the binary is linked with. */
async function checkStarts(executablePath, version) {
  const args = ['-p', 'process.versions.electron'];
  const env = { ELECTRON_RUN_AS_NODE: '1' };
  const { code, output } = await run(executablePath, args, { env, timeoutMs: 30_000 });
  if (code === 0 && output.includes(version)) return;
  throw new SetupError(
    `Electron ${version} (${executablePath}) does not start (exit ${code}): ${lastLines(output, 3)}. ` +
      'A missing shared library comes with the packages that `npm test` installs or names.',
  );
}
