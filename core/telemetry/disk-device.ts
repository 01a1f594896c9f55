import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { HostRoots } from './sampler';

/** A block device as sysfs shows it. */
export interface DiskDevice {
  /** Kernel name of the whole disk: `nvme0n1`, `sda`, `dm-0`. */
  readonly name: string;
  /** Its directory below `/sys`, with `stat` in it. */
  readonly sysPath: string;
  /** e.g. `Samsung SSD 980 1TB`; absent for virtual disks. */
  readonly model?: string;
  readonly sizeBytes: number;
}

/**
 * Finds the disk that holds a directory: device number of the directory -> `/sys/dev/block/MAJ:MIN`, a partition ->
 * its disk. Where the file system has no device number of its own (btrfs, overlay in a container), its mount's
 * source, and at last the machine's only physical disk.
 * @param deviceOf the directory's device number (`st_dev`); replaced in tests.
 * @throws Error naming what was tried when no disk can be told.
 */
export function findDisk(
  dataDir: string,
  roots: HostRoots,
  deviceOf: (path: string) => number = (path) => statSync(path).dev,
): DiskDevice {
  const { major, minor } = splitDevice(deviceOf(dataDir));
  const byNumber = join(roots.sys, 'dev', 'block', `${major}:${minor}`);
  if (existsSync(byNumber)) return describe(wholeDisk(realpathSync(byNumber)));
  const byMount = mountSource(dataDir, roots);
  const bySource = byMount && join(roots.sys, 'class', 'block', byMount);
  if (bySource && existsSync(bySource)) return describe(wholeDisk(realpathSync(bySource)));
  const physical = physicalDisks(roots);
  if (physical.length === 1 && physical[0]) return describe(physical[0]);
  throw new Error(
    `${dataDir}: no block device for device number ${major}:${minor} (${byNumber} absent, mount source ` +
      `${byMount ?? 'unknown'}), and ${physical.length} physical disks to choose from`,
  );
}

/** Linux `dev_t` as glibc packs it (gnu_dev_major, gnu_dev_minor). */
export function splitDevice(dev: number): { major: number; minor: number } {
  const bits = BigInt(dev);
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)),
  };
}

function wholeDisk(sysPath: string): string {
  return existsSync(join(sysPath, 'partition')) ? dirname(sysPath) : sysPath;
}

function describe(sysPath: string): DiskDevice {
  const model = readTrimmed(join(sysPath, 'device', 'model'));
  // Both `size` here and the sectors in `stat` count 512 bytes, whatever the device's own sector.
  const sizeBytes = Number(readTrimmed(join(sysPath, 'size')) ?? NaN) * 512;
  return { name: basename(sysPath), sysPath, sizeBytes, ...(model ? { model } : {}) };
}

/** Name below `/dev` of the source of the mount with the longest matching mount point. */
function mountSource(dataDir: string, roots: HostRoots): string | undefined {
  let best = { point: '', source: '' };
  for (const line of (readTrimmed(join(roots.proc, 'self', 'mountinfo')) ?? '').split('\n')) {
    // proc_pid_mountinfo(5): id parent maj:min root POINT options [optional...] - type SOURCE super
    const point = line.split(' ')[4];
    const source = line.split(' - ')[1]?.split(' ')[1];
    if (!point || !source) continue;
    const holds = dataDir === point || dataDir.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (holds && point.length >= best.point.length) best = { point, source };
  }
  return best.source.startsWith('/dev/') ? basename(best.source) : undefined;
}

function physicalDisks(roots: HostRoots): string[] {
  const folder = join(roots.sys, 'block');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => realpathSync(join(folder, name)))
    .filter((path) => existsSync(join(path, 'device')));
}

/** The trimmed text of a small file, or undefined where it can't be read: sysfs attributes come and go. */
export function readTrimmed(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
