import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import { withLock } from '../../../storage';

const PACKAGE = '@huggingface/transformers';
/** Its onnxruntime-node is the version Sluice has, so that both sides run the same kernels. */
const VERSION = '4.3.1';
const INSTALL_MS = 10 * 60_000;

/**
 * Installs transformers.js into a folder of its own, with npm as it is set up here; 470 MB, so that it is no dependency
 * of Sluice. Nothing to do when it is there.
 * @throws SluiceError `unavailable` with npm's last lines.
 */
export async function ensureTransformers(folder: string, log: (message: string) => void): Promise<void> {
  await mkdir(folder, { recursive: true });
  await withLock(join(folder, 'install.lock'), async () => {
    if (installedVersion(folder) === VERSION) return;
    log(`installing ${PACKAGE} ${VERSION} into ${folder}`);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    await npm(folder, ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${PACKAGE}@${VERSION}`]);
  });
}

function installedVersion(folder: string): string | undefined {
  const manifest = join(folder, 'node_modules', PACKAGE, 'package.json');
  if (!existsSync(manifest)) return undefined;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string }).version;
}

function npm(folder: string, args: readonly string[]): Promise<void> {
  const isWindows = process.platform === 'win32';
  const options = {
    cwd: folder,
    timeout: INSTALL_MS,
    // Windows starts .cmd files through its shell only; every argument is a literal of this file.
    shell: isWindows,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  };
  return new Promise((resolve, reject) => {
    execFile(isWindows ? 'npm.cmd' : 'npm', args, options, (error, stdout, stderr) => {
      if (!error) {
        resolve();
        return;
      }
      const lines = `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n');
      reject(
        new SluiceError(
          'unavailable',
          `${PACKAGE} ${VERSION} could not be installed into ${folder}: ${lines || error.message}. Check npm's ` +
            'registry and proxy settings, or leave the comparison out.',
          { folder },
          { cause: error },
        ),
      );
    });
  });
}
