import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const ELF_MACHINES = { 0x3e: 'x64', 0xb7: 'arm64', 0x03: 'ia32', 0x28: 'arm' };
const MACH_O = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe]);
/** Also the magic of Java's classes, of which there are none here. */
const MACH_O_UNIVERSAL = 0xcafebabe;
/** Folders and files that packages name after the platform their libraries are for. */
const PREBUILDS = /(?:^|[/_.-])(?:darwin|win32|freebsd|openbsd|android|musl)(?:[/_.-]|$)/;

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
 * What of `folder` is made for another platform: by the headers of its files, whatever they are called, and by the
 * names of its native packages.
 *
 * @param {{arch: string}} options all else than ELF files for it is foreign
 * @returns {readonly string[]} a line each: path and what it is
 */
export function foreignFiles(folder, { arch }) {
  return filesUnder(folder).flatMap((file) => {
    const path = relative(folder, file);
    const kind = binaryKind(file);
    if (kind !== undefined && kind !== `ELF ${arch}`) return [`${path}: ${kind}`];
    return kind !== undefined && PREBUILDS.test(path) ? [`${path}: by its name`] : [];
  });
}

/** `ELF x64`, `PE`, `Mach-O`, or undefined for what is no program. */
function binaryKind(file) {
  const head = Buffer.alloc(64);
  const handle = openSync(file, 'r');
  try {
    if (readSync(handle, head) < 20) return undefined;
  } finally {
    closeSync(handle);
  }
  if (head.readUInt32BE(0) === 0x7f454c46)
    return `ELF ${ELF_MACHINES[head.readUInt16LE(18)] ?? 'of another kind'}`;
  if (MACH_O.has(head.readUInt32BE(0)) || head.readUInt32BE(0) === MACH_O_UNIVERSAL) return 'Mach-O';
  return head.toString('latin1', 0, 2) === 'MZ' ? 'PE' : undefined;
}
