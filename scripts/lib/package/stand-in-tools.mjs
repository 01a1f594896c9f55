import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureDebianPackages } from '../debian.mjs';
import { ROOT } from '../paths.mjs';

const RUNTIME = join(ROOT, 'scripts', 'lib', 'package', 'stand-in-runtime.sh');
const NEEDS = [
  { packages: ['squashfs-tools'], for: 'mksquashfs, which packs an AppImage' },
  { packages: ['desktop-file-utils'], for: 'desktop-file-validate' },
];
/** Electron-builder asks for zstd; tests have no time for it. */
const MKSQUASHFS = '#!/bin/sh\nexec /usr/bin/mksquashfs "$@" -noI -noD -noF -noX\n';
const VALIDATE = '#!/bin/sh\nexec /usr/bin/desktop-file-validate "$@"\n';

/**
 * Fills `folder` with what electron-builder makes an AppImage with (its APPIMAGE_TOOLS_PATH) where its own tools can't be
 * downloaded: Debian's, and a script in place of the runtime. What comes of it is for tests.
 *
 * @returns {Promise<string | undefined>} why it can't be
 */
export async function makeStandInTools(folder) {
  if (process.platform !== 'linux') return 'an AppImage is made on Linux';
  const missing = await ensureDebianPackages(NEEDS);
  if (missing.length > 0) return `${missing.join(', ')} could not be installed`;
  const put = (path, content, mode = 0o755) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode });
  };
  put('mksquashfs', MKSQUASHFS);
  put('desktop-file-validate', VALIDATE);
  const runtime = readFileSync(RUNTIME, 'utf8');
  put('runtimes/runtime-x64', runtime.replace('00000', String(Buffer.byteLength(runtime)).padStart(5, '0')));
  mkdirSync(join(folder, 'lib', 'x64'), { recursive: true });
  return undefined;
}
