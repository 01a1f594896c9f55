import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { CACHE, ROOT } from '../paths.mjs';
import { filesUnder } from './contents.mjs';
import { packingAlone } from './packing-alone.mjs';

const HOME = join(CACHE, 'deb');
/** What a package is made from, beside the built application. */
const SOURCES = [
  ...['package.json', 'package-lock.json', 'electron-builder.config.mjs', 'scripts/package-deb.mjs'],
  ...['scripts/lib/package', 'scripts/package', 'renderer/public/icon.svg'],
  ...[
    'core/vision/examples',
    'core/vision/labels',
    'core/host/lab/example/programs',
    'core/serving/protocol',
  ],
];

/**
 * The package that the same sources gave before, or a new one. One is kept.
 *
 * @param {string} variant what else it depends on: architecture, compression
 * @param {() => Promise<string>} make gives the path of a new one, while nobody else packs
 */
export async function cachedDeb(variant, make) {
  const path = join(HOME, `${hashOf(variant)}.deb`);
  if (existsSync(path)) return path;
  return packingAlone(async () => {
    // Another may have made it meanwhile.
    if (existsSync(path)) return path;
    const made = await make();
    mkdirSync(HOME, { recursive: true });
    for (const old of readdirSync(HOME)) rmSync(join(HOME, old));
    copyFileSync(made, `${path}.new`);
    renameSync(`${path}.new`, path);
    return path;
  });
}

function hashOf(variant) {
  const hash = createHash('sha256').update(variant);
  const stamps = readdirSync(join(ROOT, 'out')).filter((name) => name.endsWith('.stamp'));
  const files = [...SOURCES, ...stamps.map((name) => join('out', name))].flatMap((path) => filesAt(path));
  for (const file of files.sort()) {
    if (file.endsWith('.test.mjs')) continue;
    hash.update(file).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Relative to the repository. */
function filesAt(path) {
  const absolute = join(ROOT, path);
  return statSync(absolute).isDirectory() ? filesUnder(absolute).map((file) => relative(ROOT, file)) : [path];
}
