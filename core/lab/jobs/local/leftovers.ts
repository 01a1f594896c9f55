import type { Clock } from '../../../base';

import { ProcessTree } from './process-tree';

const LOOK_MS = 20;
/** A process that waits for a dead disk can't be killed; nobody else's job waits for it. */
const MOST_LOOKS = 50;

/** Kills what is left of a job that nobody holds any more. @returns false when some of it is still there after a second. */
export async function endLeftovers(
  token: string,
  rootMark: string | undefined,
  clock: Clock,
): Promise<boolean> {
  const tree = new ProcessTree(token, rootMark);
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    if (tree.signal('SIGKILL') === 0) return true;
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
  }
  return false;
}
