import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import koffi from 'koffi';

const LARGE_PAGE_BYTES = 1n << 21n;
const MADV_HUGEPAGE = 14;
const MADV_COLLAPSE = 25;
/** Memory of a process's own: readable and writable, private, of no file; what `malloc` gives out lies in such. */
const OWN_MEMORY = /^([0-9a-f]+)-([0-9a-f]+) rw-p [0-9a-f]+ 00:00 0 *(\[heap\])?$/;

/** A range of addresses; `to` is behind it. */
interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Puts what was allocated while `load` ran into 2 MiB pages. Weights are read from one end to the other for every
 * token, and in 4 KiB pages much of that time goes into finding where they are (docs/adr/0013). Linux only, and there
 * only if large pages are not switched off.
 */
export async function inLargePages<T>(load: () => Promise<T>): Promise<T> {
  if (platform() !== 'linux') return load();
  const before = ownMemory();
  const result = await load();
  for (const range of ownMemory().flatMap((found) => without(found, before))) collapse(range);
  return result;
}

function ownMemory(): readonly AddressRange[] {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return lines.flatMap((line) => {
    const [, from, to] = OWN_MEMORY.exec(line) ?? [];
    return from === undefined ? [] : [{ from: BigInt(`0x${from}`), to: BigInt(`0x${to}`) }];
  });
}

/** The parts of a range that were not there; both lists go up. */
function without({ from, to }: AddressRange, known: readonly AddressRange[]): readonly AddressRange[] {
  const parts: AddressRange[] = [];
  let start = from;
  for (const old of known) {
    if (old.to <= start || old.from >= to) continue;
    if (old.from > start) parts.push({ from: start, to: old.from });
    start = old.to;
  }
  if (start < to) parts.push({ from: start, to });
  return parts;
}

type Madvise = (address: bigint, length: bigint, advice: number) => number;
let madvise: Madvise | undefined;

/** Only whole large pages of the range. Advice: what the system refuses stays as it is. */
function collapse({ from, to }: AddressRange): void {
  const first = ((from + LARGE_PAGE_BYTES - 1n) / LARGE_PAGE_BYTES) * LARGE_PAGE_BYTES;
  const length = (to / LARGE_PAGE_BYTES) * LARGE_PAGE_BYTES - first;
  if (length <= 0n) return;
  madvise ??= koffi.load(null).func('int madvise(void* address, size_t length, int advice)') as Madvise;
  if (madvise(first, length, MADV_HUGEPAGE) === 0) madvise(first, length, MADV_COLLAPSE);
}
