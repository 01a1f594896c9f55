import { statSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { packingAlone } from './lib/package/packing-alone.mjs';
import { ROOT } from './lib/paths.mjs';
import { main, note, SetupError, step } from './lib/terminal.mjs';

const HELP = `Usage: npm run package:deb -- [options]

Makes a Debian package in out/installers/ and prints its path. It needs no network where Electron is there already.

  --arch NAME         x64 or arm64 (default: this machine's)
  --compression NAME  xz (default), zstd (larger, packs in a tenth of the time; Debian 12 and newer), gzip or none
  --cached            the package that the same sources gave before, if it is still there
  --help              this text
`;
const ARCHS = ['x64', 'arm64'];
const COMPRESSIONS = ['xz', 'zstd', 'gzip', 'none'];

await main(async () => {
  const { arch, cached, compression, help } = readOptions();
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  const make = () => makePackage(arch, compression);
  const { cachedDeb } = await import('./lib/package/cached-deb.mjs');
  const deb = await (cached ? cachedDeb(`${arch} ${compression}`, make) : packingAlone(make));
  process.stdout.write(`${deb}\n`);
  return 0;
});
// A hook of the builder's would end a failed run with 0 once nothing is left to do.
process.exit();

async function makePackage(arch, compression) {
  const [{ makeAppFolder }, { makeDeb }, { bytesUnder }] = await Promise.all([
    import('./lib/package/app-folder.mjs'),
    import('./lib/package/deb.mjs'),
    import('./lib/package/contents.mjs'),
  ]);
  const app = await makeAppFolder({ arch });
  const deb = await makeDeb(app, { arch, compression });
  step(`${relative(ROOT, deb)}: ${mb(statSync(deb).size)}, installed ${mb(bytesUnder(app.path))}`);
  if (app.isPreview) note(`It is a preview, on Electron ${app.electron}: do not give it to others.`);
  note(`Install it: sudo apt install ./${relative(process.cwd(), deb)}`);
  return deb;
}

function mb(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        arch: { type: 'string', default: process.arch },
        compression: { type: 'string', default: 'xz' },
        cached: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    oneOf('--arch', ARCHS, values.arch);
    oneOf('--compression', COMPRESSIONS, values.compression);
    return values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${HELP}`);
  }
}

function oneOf(option, allowed, found) {
  if (!allowed.includes(found))
    throw new Error(`${option}: expected ${allowed.join(' or ')}, found "${found}".`);
}
