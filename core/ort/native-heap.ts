import { platform } from 'node:os';
import koffi from 'koffi';

interface Glibc {
  /** Bytes that `malloc` has given out, in all threads, those it maps one by one included. */
  readonly usedBytes: () => number;
  readonly mallopt: (parameter: number, value: number) => number;
  readonly mallocTrim: (padBytes: number) => number;
}

/** malloc.h: buffers from this size on are mapped one by one, and unmapped when they are freed. */
const M_MMAP_THRESHOLD = -3;
/** glibc's own first value, 128 KiB; it raises it by itself, up to 32 MiB, as larger buffers are freed. */
const MMAP_THRESHOLD_BYTES = 128 << 10;

let found: Glibc | undefined | 'none';

/** glibc's own figures and knobs; undefined with another C library. */
function glibc(): Glibc | undefined {
  if (found === undefined) found = platform() === 'linux' ? (bindGlibc() ?? 'none') : 'none';
  return found === 'none' ? undefined : found;
}

function bindGlibc(): Glibc | undefined {
  try {
    const library = koffi.load(null);
    const fields = 'arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost';
    const info = koffi.struct(Object.fromEntries(fields.split(' ').map((name) => [name, 'size_t'])));
    const mallinfo = library.func('mallinfo2', info, []) as () => { hblkhd: number; uordblks: number };
    return {
      usedBytes: () => {
        const { hblkhd, uordblks } = mallinfo();
        return Number(hblkhd) + Number(uordblks);
      },
      mallopt: library.func('int mallopt(int parameter, int value)') as Glibc['mallopt'],
      mallocTrim: library.func('int malloc_trim(size_t pad)') as Glibc['mallocTrim'],
    };
  } catch {
    return undefined; // before glibc 2.33, or musl
  }
}

/** Bytes of native memory in use in this process, ONNX Runtime's included; undefined where the C library can't say. */
export function heapBytes(): number | undefined {
  return glibc()?.usedBytes();
}

/**
 * From now on, large native buffers go back to the operating system when they are freed, and so does what lies idle
 * now: the process takes what it uses. For those whose sessions come and go under a budget; a fresh buffer costs page
 * faults. Does nothing with another C library than glibc.
 */
export function returnFreedBuffers(): void {
  const library = glibc();
  library?.mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
  library?.mallocTrim(0);
}
