import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import config, { FUSES, ICONS, INSTALLERS } from '../../../electron-builder.config.mjs';
import { electronForTests } from '../electron.mjs';
import { ROOT } from '../paths.mjs';
import { note, SetupError, step, warn } from '../terminal.mjs';
import { drawIcons } from './icons.mjs';

/**
 * An unpacked application, as it stands in an installer.
 *
 * @typedef {object} AppFolder
 * @property {string} path
 * @property {string} electron its version
 * @property {boolean} isPreview made with the fallback Electron: to try packages with, not to give to others
 */

/**
 * Makes the application's folder for this platform by electron-builder's `dir` target, offline when Electron is there.
 * To be called while nobody else packs (`packingAlone`), and its folder read before that ends.
 *
 * @param {{arch: 'x64' | 'arm64'}} options
 * @returns {Promise<AppFolder>}
 * @throws SetupError when no Electron can be had, or this tree has no native libraries for `arch`
 */
export async function makeAppFolder({ arch }) {
  checkNativePackages(arch);
  await drawIcons(join(ROOT, ICONS));
  const electron = arch === process.arch ? await electronForTests() : undefined;
  const isPreview = electron?.kind === 'fallback';
  if (isPreview) warnOfPreview(electron);
  step(`Packing the application for ${process.platform} ${arch}`);
  const { default: builder } = await import('electron-builder');
  const build = () =>
    builder.build({
      projectDir: ROOT,
      targets: builder.Platform.current().createTarget('dir', builder.Arch[arch]),
      publish: 'never',
      config: configFor(electron),
    });
  await toStderr(build);
  const path = unpackedFolder(arch);
  return { path, electron: electron?.version ?? config.electronVersion, isPreview };
}

export function warnOfPreview({ version }) {
  warn(`A PREVIEW: Electron ${version} stands in for the supported one and gets no security fixes.`);
  note('Install it to try the package. Build the one you give to others where Electron can be downloaded.');
}

/**
 * Electron-builder's configuration, with an Electron that is there already in place of one that it would download.
 *
 * @param {import('../electron.mjs').ElectronRuntime | undefined} electron
 */
export function configFor(electron) {
  if (electron === undefined) return config;
  return {
    ...config,
    electronVersion: electron.version,
    electronDist: dirname(electron.executablePath),
    afterExtract: removeOtherApp,
    ...(electron.kind === 'fallback' && { electronFuses: FALLBACK_FUSES }),
  };
}

/** What the builder tells is for people; stdout belongs to the path of what is made. */
export async function toStderr(body) {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  try {
    return await body();
  } finally {
    process.stdout.write = write;
  }
}

/** The fallback's wire ends before the fuse that Electron 29 added: it is passed over. */
const FALLBACK_FUSES = { ...FUSES };
delete FALLBACK_FUSES.grantFileProtocolExtraPrivileges;

/** The fallback has a link to this repository where the application goes, the supported one an example. */
function removeOtherApp({ appOutDir }) {
  for (const name of ['app', 'default_app.asar']) rmSync(join(appOutDir, 'resources', name), { force: true });
}

function unpackedFolder(arch) {
  const suffix = arch === 'x64' ? '' : `-${arch}`;
  const name = { linux: `linux${suffix}-unpacked`, win32: `win${suffix}-unpacked`, darwin: `mac${suffix}` };
  return join(ROOT, INSTALLERS, name[process.platform]);
}

/** Of packages with a native part in one of its own for each platform: what the part's name begins with. */
const NATIVE = ['@koromix/koffi-', '@libsql/', '@napi-rs/image-'];
/** How packages name a platform and its C library. */
const TARGET_NAMES = {
  linux: (arch) => [`linux-${arch}`, `linux-${arch}-gnu`],
  win32: (arch) => [`win32-${arch}`, `win32-${arch}-msvc`],
  darwin: (arch) => [`darwin-${arch}`],
};

/** npm installs the native packages of its own platform only. */
export function checkNativePackages(arch, { platform = process.platform, root = ROOT } = {}) {
  const isThere = (start) =>
    TARGET_NAMES[platform](arch).some((end) => existsSync(join(root, 'node_modules', `${start}${end}`)));
  const missing = NATIVE.filter((start) => !isThere(start)).map((start) => `${start}${platform}-${arch}`);
  if (missing.length === 0) return;
  throw new SetupError(
    `The native libraries for ${arch} are not installed (${missing.join(', ')}). Build on such a machine, or install ` +
      `theirs beside this one's: npm install --no-save --ignore-scripts --cpu=${arch} --os=${platform}`,
  );
}
