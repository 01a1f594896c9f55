import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { createCgroup } from '../bench/cgroup';

/** A limit on the memory of some processes, page cache they bring in included. */
export interface MemoryCgroup {
  add(pid: number): void;
  setLimit(bytes: number): void;
  limitBytes(): number;
  /** Most memory its processes had at once, bytes. */
  peakBytes(): number;
  /** Its processes must have ended. */
  remove(): void;
}

const CONTROLLER = {
  name: 'memory',
  v1File: 'memory.limit_in_bytes',
  v2File: 'memory.max',
};

/** @returns undefined where this user can't make memory cgroups; the reason is in `whyNot`. */
export function createMemoryCgroup(name: string, whyNot: (reason: string) => void): MemoryCgroup | undefined {
  const cgroup = createCgroup(CONTROLLER, name, whyNot);
  if (cgroup === undefined) return undefined;
  const [limit, peak] =
    cgroup.version === 1
      ? [CONTROLLER.v1File, 'memory.max_usage_in_bytes']
      : [CONTROLLER.v2File, 'memory.peak'];
  return {
    add: cgroup.add,
    setLimit: (bytes) => cgroup.write(limit, String(Math.ceil(bytes))),
    limitBytes: () => Number(cgroup.read(limit)),
    peakBytes: () => Number(cgroup.read(peak)),
    remove: cgroup.remove,
  };
}

/** Forgets cached file pages, so that what a limited process maps is charged to it. @returns whether it was allowed. */
export function dropPageCache(): boolean {
  try {
    // Pages not yet written can't be dropped.
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return true;
  } catch {
    return false;
  }
}
