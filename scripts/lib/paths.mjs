import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Downloads and unpacked tools; safe to delete. */
export const CACHE = join(ROOT, '.cache');
/** Reports, traces and screenshots of the tests. */
export const TEST_RESULTS = join(ROOT, 'test-results');
