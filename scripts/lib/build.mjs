import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { ROOT } from './paths.mjs';
import { SetupError, step, warn } from './terminal.mjs';

/** The parts of the application and the folders each is made from. */
const PARTS = {
  main: ['core', 'main'],
  preload: ['preload', 'core/contract'],
  renderer: ['renderer', 'core/contract'],
};
const ALWAYS = ['electron.vite.config.ts', 'package-lock.json', 'tsconfig.base.json'];
const OUT = join(ROOT, 'out');

/**
 * Builds the parts whose sources differ from those of the last build. Several processes may ask at once; files in
 * use are replaced by rename, never rewritten, so running workers keep what they have loaded.
 *
 * @param {readonly (keyof typeof PARTS)[]} parts
 * @param {{skipMissing?: boolean}} options `skipMissing`: leave out entries whose source does not exist (yet)
 *   instead of failing
 * @throws SetupError with the file and line of the fault.
 */
export async function ensureBuilt(parts = ['main', 'preload', 'renderer'], { skipMissing = false } = {}) {
  if (parts.every(isCurrent)) return;
  await withLock(join(OUT, '.build.lock'), async () => {
    const stale = parts.filter((part) => !isCurrent(part));
    if (stale.length === 0) return;
    step(`Building ${stale.join(', ')}`);
    // The bundler sets NODE_ENV for itself; what runs after it (tests above all) must not inherit that.
    const { NODE_ENV: before } = process.env;
    try {
      const { resolveConfig } = await import('electron-vite');
      process.env.NODE_ENV_ELECTRON_VITE = 'production';
      const { config } = await resolveConfig({ root: ROOT, logLevel: 'warn' }, 'build', 'production');
      for (const part of stale) await explained(part, () => buildPart(part, config[part], skipMissing));
    } finally {
      if (before === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = before;
    }
  });
}

/** A fault in the sources is told with its file and line; the bundler's own stack would only hide it. */
async function explained(part, build) {
  try {
    await build();
  } catch (error) {
    throw new SetupError(
      `Building ${part} failed:\n${error.message}\n` +
        'If you have changed nothing, delete node_modules and out and run the same command again.',
    );
  }
}

function stampFile(part) {
  return join(OUT, `.${part}.stamp`);
}

function isCurrent(part) {
  return existsSync(stampFile(part)) && readFileSync(stampFile(part), 'utf8') === sourceHash(part);
}

async function buildPart(part, config, skipMissing) {
  const hash = sourceHash(part);
  const bundle = config.build.rolldownOptions;
  if (skipMissing) bundle.input = withoutMissing(bundle.input);
  if (Object.keys(bundle.input).length === 0) return;
  const { build } = await import('vite');
  const fresh = join(OUT, `.new-${part}`);
  rmSync(fresh, { recursive: true, force: true });
  await build({ ...config, build: { ...config.build, outDir: fresh, emptyOutDir: true } });
  const old = new Set(filesUnder(join(OUT, part)));
  // Chunks first: an entry must never name a chunk that is not there yet.
  const files = filesUnder(fresh).sort((a, b) => b.split('/').length - a.split('/').length);
  for (const file of files) {
    mkdirSync(dirname(join(OUT, part, file)), { recursive: true });
    renameSync(join(fresh, file), join(OUT, part, file));
    old.delete(file);
  }
  for (const file of old) rmSync(join(OUT, part, file));
  rmSync(fresh, { recursive: true, force: true });
  writeFileSync(stampFile(part), hash);
}

function withoutMissing(input) {
  const entries = typeof input === 'string' ? { index: input } : input;
  return Object.fromEntries(
    Object.entries(entries).filter(([name, path]) => {
      if (existsSync(path)) return true;
      warn(`${path} does not exist: ${name} is not built`);
      return false;
    }),
  );
}

/** SHA-256 over names and contents of everything the part is made from. */
function sourceHash(part) {
  const hash = createHash('sha256');
  const sources = PARTS[part].flatMap((folder) =>
    filesUnder(join(ROOT, folder)).map((file) => join(folder, file)),
  );
  for (const file of [...sources, ...ALWAYS].sort()) {
    if (/\.test\.tsx?$/.test(file)) continue;
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Paths below `folder`, relative to it, with `/`. */
function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
}
