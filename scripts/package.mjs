import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ICONS, INSTALLERS } from '../electron-builder.config.mjs';
import { ensureBuilt } from './lib/build.mjs';
import { electronForTests, pinnedElectron } from './lib/electron.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { packingAlone } from './lib/package/packing-alone.mjs';
import { ROOT } from './lib/paths.mjs';
import { main, SetupError, step } from './lib/terminal.mjs';

const HELP = `Usage: npm run package -- [options]

Makes this platform's installers with electron-builder in out/installers/: AppImage, NSIS or dmg, and latest*.yml for a
server of updates. It downloads Electron and electron-builder's tools. The Debian package: npm run package:deb.

  --arch NAME  x64 or arm64 (default: this machine's)
  --folder DIR where to leave them, instead of out/installers
  --preview    on the older Electron of the tests, if the pinned one can't be downloaded: to try, not to give to others
  --help       this text
`;

/** Named, so that no other architecture is made beside it from this one's native libraries. */
const TARGETS = { linux: 'AppImage', win32: 'nsis', darwin: 'dmg' };

await main(async () => {
  const { arch, folder, help, preview } = readOptions();
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  const electron = await (preview ? electronForTests() : pinnedElectron());
  const [{ checkNativePackages, configFor, toStderr, warnOfPreview }, { drawIcons }, { default: builder }] =
    await Promise.all([
      import('./lib/package/app-folder.mjs'),
      import('./lib/package/icons.mjs'),
      import('electron-builder'),
    ]);
  checkNativePackages(arch);
  if (electron.kind === 'fallback') warnOfPreview(electron);
  const targets = builder.Platform.current().createTarget(TARGETS[process.platform], builder.Arch[arch]);
  // Electron for another architecture is the builder's to download.
  const found = configFor(arch === process.arch ? electron : undefined);
  const config = { ...found, directories: { ...found.directories, output: resolve(folder) } };
  const made = await packingAlone(async () => {
    step(`Packing for ${process.platform} ${arch}`);
    await drawIcons(join(ROOT, ICONS));
    return toStderr(() => builder.build({ projectDir: ROOT, targets, publish: 'never', config }));
  });
  process.stdout.write(`${made.join('\n')}\n`);
  return 0;
});
// A hook of the builder's would end a failed run with 0 once nothing is left to do.
process.exit();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        arch: { type: 'string', default: process.arch },
        folder: { type: 'string', default: join(ROOT, INSTALLERS) },
        preview: { type: 'boolean', default: false },
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
