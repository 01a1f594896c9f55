import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const CLI = resolve(__dirname, '../out/main/cli.js');

/**
 * Makes a data folder with the example in its library. It is compiled once for all tests of a run that don't ask how it
 * gets there, and copied.
 * @param dataDir of an engine that has not started.
 */
export async function putExample(dataDir: string): Promise<void> {
  // Made, and removed, by global-setup.mjs.
  const prepared = join(process.env['SLUICE_E2E_PREPARED'] ?? '', 'example');
  const ready = join(prepared, 'models', 'ppocr', 'entry.json');
  if (!existsSync(ready)) {
    await promisify(execFile)(process.execPath, [CLI, 'models', 'import', '--example'], {
      env: { ...process.env, SLUICE_DATA_DIR: prepared },
    });
  }
  mkdirSync(dataDir, { recursive: true });
  cpSync(prepared, dataDir, { recursive: true });
}
