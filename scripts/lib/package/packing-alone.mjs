import { join } from 'node:path';
import { withLock } from '../lock.mjs';
import { ROOT } from '../paths.mjs';

/** Held by whoever packs in this working tree. */
export const PACKING_LOCK = join(ROOT, 'out', '.installers.lock');
/** An installer that is compressed well takes minutes, on a small machine many. */
const LONGEST_MS = 60 * 60_000;

/**
 * Runs `body` while nobody else of this working tree packs: icons, the unpacked application and what is made of it lie
 * in one folder, out/installers, which each emptied under the other's hands. It lasts until what was made is where
 * nobody else writes, or told.
 *
 * @param {() => Promise<T>} body
 * @param {string} lock another one, for tests
 * @template T
 * @returns {Promise<T>}
 * @throws SetupError when another does not end within an hour
 */
export function packingAlone(body, lock = PACKING_LOCK) {
  return withLock(lock, body, LONGEST_MS);
}
