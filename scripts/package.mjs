import { parseArgs } from 'node:util';
import config, { ICONS } from '../electron-builder.config.mjs';
import { join } from 'node:path';
import { ensureBuilt } from './lib/build.mjs';
import { pinnedElectron } from './lib/electron.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { ROOT } from './lib/paths.mjs';
import { main, SetupError, step } from './lib/terminal.mjs';

const HELP = `Usage: npm run package -- [options]

Makes this platform's installers with electron-builder in out/installers/: AppImage, NSIS or dmg, and latest*.yml for a
server of updates. It downloads Electron and electron-builder's tools. The Debian package: npm run package:deb.

  --arch NAME  x64 or arm64 (default: this machine's)
  --help       this text
`;

await main(async () => {
  const { arch, help } = readOptions();
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  await pinnedElectron();
  const [{ checkNativePackages }, { drawIcons }, { default: builder }] = await Promise.all([
    import('./lib/package/app-folder.mjs'),
    import('./lib/package/icons.mjs'),
    import('electron-builder'),
  ]);
  checkNativePackages(arch);
  await drawIcons(join(ROOT, ICONS));
  step(`Packing for ${process.platform} ${arch}`);
  const targets = builder.Platform.current().createTarget(null, builder.Arch[arch]);
  const made = await builder.build({ projectDir: ROOT, targets, publish: 'never', config });
  process.stdout.write(`${made.join('\n')}\n`);
  return 0;
});

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        arch: { type: 'string', default: process.arch },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!['x64', 'arm64'].includes(values.arch)) {
      throw new Error(`--arch: expected x64 or arm64, found "${values.arch}".`);
    }
    return values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${HELP}`);
  }
}
