import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** A control group of this process's own making: limits on one resource for some processes. */
export interface Cgroup {
  /** The controller's interface: version 1 has a folder for each controller, version 2 one for all. */
  readonly version: 1 | 2;
  readonly add: (pid: number) => void;
  readonly read: (file: string) => string;
  readonly write: (file: string, text: string) => void;
  /** Its processes must have ended. */
  readonly remove: () => void;
}

/** A controller, and a file that tells by being there that it is in use. */
export interface CgroupController {
  readonly name: string;
  readonly v1File: string;
  readonly v2File: string;
}

/** @returns undefined where this user can't make such groups; the reason is in `whyNot`. */
export function createCgroup(
  { name: controller, v1File, v2File }: CgroupController,
  name: string,
  whyNot: (reason: string) => void,
): Cgroup | undefined {
  const isV1 = existsSync(join(ROOT, controller, v1File));
  const root = isV1 ? join(ROOT, controller) : ROOT;
  const folder = join(root, name);
  try {
    mkdirSync(folder);
  } catch (error) {
    whyNot(error instanceof Error ? error.message : String(error));
    return undefined;
  }
  if (!existsSync(join(folder, isV1 ? v1File : v2File))) {
    rmdirSync(folder);
    whyNot(`the ${controller} controller is not available under ${root}`);
    return undefined;
  }
  return {
    version: isV1 ? 1 : 2,
    add: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    write: (file, text) => writeFileSync(join(folder, file), text),
    remove: () => rmdirSync(folder),
  };
}
