import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inLargePages } from './large-pages';

const BLOCK_BYTES = 64 << 20;
const SWITCH = '/sys/kernel/mm/transparent_hugepage/enabled';

const areThere = existsSync(SWITCH) && !/\[never\]/.test(readFileSync(SWITCH, 'utf8'));

/** Bytes of the process that lie in large pages. */
function inLargePagesNow(): number {
  const [, kilobytes] = /AnonHugePages: *(\d+)/.exec(readFileSync('/proc/self/smaps_rollup', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

it('gives back what was loaded', async () => {
  expect(await inLargePages(() => Promise.resolve(7))).toBe(7);
  await expect(inLargePages(() => Promise.reject(new Error('no file')))).rejects.toThrow('no file');
});

it.runIf(areThere)('moves what is allocated meanwhile into large pages, byte for byte', async () => {
  const before = inLargePagesNow();
  const block = await inLargePages(() => Promise.resolve(Buffer.alloc(BLOCK_BYTES, 'sluice')));
  // Memory may be short of whole large pages, never of all of them.
  expect(inLargePagesNow() - before).toBeGreaterThan(BLOCK_BYTES / 4);
  expect(block.equals(Buffer.alloc(BLOCK_BYTES, 'sluice'))).toBe(true);
});
