import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { run } from '../process.mjs';
import { note } from '../terminal.mjs';
import { isElf } from './contents.mjs';

const LICENCES = 'LICENSES.chromium.html';

/**
 * Takes out of an application's folder for Linux what no program reads: symbols and debug sections of Electron's own
 * binaries, which its makers publish apart, and packs Chromium's licences.
 *
 * @param {string} folder with Electron's binaries in it; packages' libraries, further down, are stripped as they come
 */
export async function slim(folder) {
  const licences = join(folder, LICENCES);
  if (existsSync(licences)) {
    writeFileSync(`${licences}.gz`, gzipSync(readFileSync(licences), { level: 9 }));
    rmSync(licences);
  }
  const binaries = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isElf(join(folder, entry.name)))
    .map((entry) => entry.name);
  if (binaries.length === 0) return;
  const { code, output } = await run('strip', ['--strip-unneeded', ...binaries], { cwd: folder });
  // Another architecture's, or no binutils: they work as they are.
  if (code !== 0) note(`Electron's binaries keep their symbols: ${output.trim().split('\n')[0]}`);
}
