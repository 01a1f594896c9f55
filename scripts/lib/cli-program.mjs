import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { build } from 'esbuild';

import { ROOT } from './paths.mjs';

/**
 * The command line's Commander program, made from the source as it is now, for what reads its help. Nothing of it runs.
 * @returns {Promise<import('commander').Command>}
 */
export async function loadCliProgram() {
  const folder = join(ROOT, 'out', `cli-program-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const { outputFiles } = await build({
      entryPoints: [join(ROOT, 'core/host/commands/program.ts')],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
    });
    const path = join(folder, 'program.cjs');
    writeFileSync(path, outputFiles[0].text);
    return createRequire(import.meta.url)(path).createProgram('0.0.0');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
