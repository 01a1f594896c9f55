import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import debianInstaller from 'electron-installer-debian';
import { ICONS, INSTALLERS } from '../../../electron-builder.config.mjs';
import { ensureDebianPackages } from '../debian.mjs';
import { ROOT } from '../paths.mjs';
import { SetupError, step } from '../terminal.mjs';
import { bytesUnder } from './contents.mjs';
import { PNG_SIZES } from './icons.mjs';

const { Installer, transformVersion } = debianInstaller;

const TEXTS = join(ROOT, 'scripts', 'package');
const TOOLS = [
  { packages: ['dpkg'], for: 'dpkg-deb, which packs the package' },
  { packages: ['fakeroot'], for: 'files of root in a package that an ordinary user makes' },
];
const DEBIAN_ARCH = { x64: 'amd64', arm64: 'arm64' };
/** What Electron's binary is linked with, and what it loads by name. Newer releases' t64 packages provide these names. */
const DEPENDS = [
  ...['libasound2 | libasound2t64', 'libatk-bridge2.0-0', 'libatk1.0-0', 'libatspi2.0-0', 'libc6 (>= 2.28)'],
  ...[
    'libcairo2',
    'libcups2',
    'libdbus-1-3',
    'libdrm2',
    'libexpat1',
    'libgbm1',
    'libglib2.0-0',
    'libgtk-3-0',
  ],
  ...['libnspr4', 'libnss3', 'libpango-1.0-0', 'libudev1', 'libx11-6', 'libxcb1', 'libxcomposite1'],
  ...['libxdamage1', 'libxext6', 'libxfixes3', 'libxkbcommon0', 'libxrandr2', 'xdg-utils'],
];
/** A keyring's library, for endpoints' tokens; fonts; a driver loader, for the webgpu provider. */
const RECOMMENDS = [
  'fonts-dejavu-core | fonts-liberation',
  'libsecret-1-0',
  'libvulkan1',
  'shared-mime-info',
];

/** Path in the package, the file it is made of, its mode. */
const FILES = [
  ['usr/bin/sluice', 'sluice.sh', 0o755],
  ['usr/lib/systemd/system/sluice-host.service', 'sluice-host.service', 0o644],
  ['usr/lib/sysusers.d/sluice.conf', 'sluice.sysusers', 0o644],
  ['usr/share/applications/sluice.desktop', 'sluice.desktop', 0o644],
  ['usr/share/mime/packages/sluice.xml', 'sluice-mime.xml', 0o644],
];

/** What electron-installer-debian makes, and what it has no place for: a launcher, a unit, MIME types, a manual. */
class SluiceInstaller extends Installer {
  get contentFunctions() {
    return ['copyApplication', 'copyLinuxIcons', 'copyScripts', 'createControl', 'createTexts'];
  }

  /** Of the library, only what it reads from package.json: it looks for a file `version`, and its dependencies are guesses. */
  async generateDefaults() {
    const { description, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    this.defaults = {
      ...{ name: 'sluice', productName: 'Sluice', section: 'science', priority: 'optional', revision: '1' },
      ...{ version: transformVersion(version), description, homepage: '' },
      maintainer: 'Sluice <sluice@localhost>',
      ...{ depends: DEPENDS, recommends: RECOMMENDS, suggests: [], enhances: [], preDepends: [] },
      size: Math.ceil(bytesUnder(this.userSupplied.src) / 1024),
    };
    return this.defaults;
  }

  createTexts() {
    for (const [path, source, mode] of FILES) this.put(path, readFileSync(join(TEXTS, source)), mode);
    const manual = readFileSync(join(TEXTS, 'sluice.1'));
    // Without a time in its header, so that the same sources give the same package.
    this.put('usr/share/man/man1/sluice.1.gz', gzipSync(manual, { level: 9 }), 0o644);
    this.put('usr/share/doc/sluice/copyright', copyright(), 0o644);
  }

  put(path, content, mode) {
    const file = join(this.stagingDir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }
}

/**
 * Packs an application's folder as a Debian package.
 *
 * @param {import('./app-folder.mjs').AppFolder} app
 * @param {{arch: 'x64' | 'arm64', compression: 'xz' | 'zstd' | 'gzip' | 'none', folder?: string, icons?: string}} options
 *   `folder`: where it is left; `icons`: where `drawIcons` drew
 * @returns {Promise<string>} its path
 * @throws SetupError where this is no Debian, or its tools are missing
 */
export async function makeDeb(
  app,
  { arch, compression, folder = join(ROOT, INSTALLERS), icons = join(ROOT, ICONS) },
) {
  await checkTools();
  step(`Packing the Debian package (${compression})`);
  const icon = Object.fromEntries(
    PNG_SIZES.map((width) => [`${width}x${width}`, join(icons, 'png', `${width}x${width}.png`)]),
  );
  const productDescription = app.isPreview
    ? `A preview: it runs on Electron ${app.electron}, which gets no security fixes. Not for use.`
    : 'The console opens as a window, and in a browser as the service sluice-host.';
  const installer = new SluiceInstaller({
    src: app.path,
    dest: folder,
    arch: DEBIAN_ARCH[arch],
    bin: 'sluice',
    icon: { ...icon, scalable: join(icons, 'icon.svg') },
    scripts: Object.fromEntries(['postinst', 'prerm', 'postrm'].map((name) => [name, join(TEXTS, name)])),
    compression,
    productDescription,
    logger: () => undefined,
    rename: (dest) => join(dest, `<%= name %>_<%= version %>-<%= revision %>_<%= arch %>.deb`),
  });
  // Modes of folders and files are the package's content.
  const umask = process.umask(0o022);
  try {
    await installer.generateDefaults();
    installer.generateOptions();
    await installer.createStagingDir();
    await installer.createContents();
    await installer.createPackage();
    await installer.movePackage();
  } finally {
    process.umask(umask);
  }
  return installer.options.packagePaths[0];
}

async function checkTools() {
  const isDebian = existsSync('/usr/bin/dpkg-query');
  const missing = isDebian ? await ensureDebianPackages(TOOLS) : ['dpkg'];
  if (missing.length === 0) return;
  throw new SetupError(
    `A Debian package is made on Debian or Ubuntu with ${missing.join(' and ')} installed.`,
  );
}

function copyright() {
  return [
    'Sluice is not licensed for redistribution.',
    '',
    'Electron and Chromium, on which it runs:',
    '/usr/lib/sluice/LICENSE.electron.txt, /usr/lib/sluice/LICENSES.chromium.html.gz',
    '',
  ].join('\n');
}
