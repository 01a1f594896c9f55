import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SetupError } from '../terminal.mjs';

const FORMATS = { linux: 'ELF', win32: 'PE', darwin: 'Mach-O' };
const ELF_MACHINES = { 0x3e: 'x64', 0xb7: 'arm64', 0x03: 'ia32', 0x28: 'arm' };
const PE_MACHINES = { 0x8664: 'x64', 0xaa64: 'arm64', 0x14c: 'ia32' };
const MACH_O_CPUS = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
const MACH_O_64 = 0xcffaedfe;
const MACH_O = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, MACH_O_64]);
/** Also the magic of Java's classes, of which there are none here. */
const MACH_O_UNIVERSAL = 0xcafebabe;
/** What packages name folders and files after, by the platform their libraries are for. */
const PLATFORMS = ['linux', 'darwin', 'win32', 'freebsd', 'openbsd', 'android', 'musl'];

/** All files below `folder`, absolute. Links are not followed. */
export function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export function bytesUnder(folder) {
  return filesUnder(folder).reduce((sum, file) => sum + statSync(file).size, 0);
}

/**
 * @throws SetupError when a folder for installation holds what does not run on its platform: this tree's packages are for
 *   another one
 */
export function checkLibraries(folder, { platform, arch }) {
  const foreign = foreignFiles(folder, { platform, arch });
  if (foreign.length === 0) return;
  throw new SetupError(`Not all in ${folder} is for ${platform} ${arch}:\n${foreign.join('\n')}`);
}

/**
 * What of `folder` is made for another platform: by the headers of its files, whatever they are called, and by the
 * names of its native packages.
 *
 * @param {{arch: string, platform?: 'linux' | 'win32' | 'darwin'}} options
 * @returns {readonly string[]} a line each: path and what it is
 */
export function foreignFiles(folder, { arch, platform = 'linux' }) {
  const others = PLATFORMS.filter((name) => name !== platform).join('|');
  const isNamedForOther = new RegExp(`(?:^|[/_.-])(?:${others})(?:[/_.-]|$)`);
  return filesUnder(folder).flatMap((file) => {
    const path = relative(folder, file);
    const kind = binaryKind(file);
    if (kind === undefined || isInstallersOwn(path, kind)) return [];
    if (![`${FORMATS[platform]} ${arch}`, `${FORMATS[platform]} universal`].includes(kind)) {
      return [`${path}: ${kind}`];
    }
    return isNamedForOther.test(path) ? [`${path}: by its name`] : [];
  });
}

/** Windows runs 32-bit helpers, of which the installer brings one. */
function isInstallersOwn(path, kind) {
  return kind === 'PE ia32' && !path.includes('node_modules');
}

export function isElf(file) {
  return binaryKind(file)?.startsWith('ELF') === true;
}

/** `ELF x64`, `PE arm64`, `Mach-O universal`, or undefined for what is no program. */
function binaryKind(file) {
  const head = Buffer.alloc(4096);
  const handle = openSync(file, 'r');
  try {
    if (readSync(handle, head) < 20) return undefined;
  } finally {
    closeSync(handle);
  }
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f454c46) return `ELF ${ELF_MACHINES[head.readUInt16LE(18)] ?? 'of another kind'}`;
  if (magic === MACH_O_UNIVERSAL) return 'Mach-O universal';
  if (MACH_O.has(magic)) {
    const cpu = magic === MACH_O_64 ? MACH_O_CPUS[head.readUInt32LE(4)] : undefined;
    return `Mach-O ${cpu ?? 'of another kind'}`;
  }
  if (head.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const at = head.readUInt32LE(60);
  const machine = at < head.length - 6 ? PE_MACHINES[head.readUInt16LE(at + 4)] : undefined;
  return `PE ${machine ?? 'of another kind'}`;
}
