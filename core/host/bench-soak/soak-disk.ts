import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { isProcessAlive } from '../../storage';

const BALLAST = 'ballast';
const PIECE = Buffer.alloc(2 ** 20);
/** The rest is filled by smaller pieces. */
const CRUMB = Buffer.alloc(4096);

/**
 * Where a soak's processes keep what they have: a small disk of its own in memory, which can be filled, where this user
 * may mount one; else a folder.
 */
export class SoakDisk {
  private readonly onExit = (): void => this.unmount();

  private constructor(
    readonly folder: string,
    /** Whether it can be filled. */
    readonly isOwn: boolean,
  ) {
    if (isOwn) process.prependOnceListener('exit', this.onExit);
  }

  static make(folder: string, bytes: number): SoakDisk {
    mkdirSync(folder, { recursive: true });
    const isMounted = run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
    return new SoakDisk(folder, isMounted);
  }

  /** Until `free`, nobody can write. */
  fill(): void {
    const file = openSync(join(this.folder, BALLAST), 'a');
    try {
      for (const piece of [PIECE, CRUMB]) writeUntilFull(file, piece);
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.folder, BALLAST), { force: true });
  }

  remove(): void {
    if (!this.isOwn) return;
    process.off('exit', this.onExit);
    this.unmount();
  }

  private unmount(): void {
    // Lazily, so that a file somebody still has open does not keep it.
    run('umount', ['-l', this.folder]);
  }
}

/** Disks of soaks that were killed. @param root of the folders of soaks, each named by its process. */
export function unmountLeftDisks(root: string): void {
  let mounts: string;
  try {
    mounts = readFileSync('/proc/mounts', 'utf8');
  } catch {
    return; // no such system
  }
  for (const line of mounts.split('\n')) {
    const path = line.split(' ')[1] ?? '';
    if (!path.startsWith(`${root}/`)) continue;
    const [mark = ''] = path.slice(root.length + 1).split('/');
    if (!isProcessAlive(mark)) run('umount', ['-l', path]);
  }
}

function run(command: string, args: readonly string[]): boolean {
  return process.platform === 'linux' && spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    while (writeSync(file, piece) === piece.byteLength);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
  }
}
