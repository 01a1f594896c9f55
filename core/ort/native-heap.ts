import { platform } from 'node:os';
import koffi from 'koffi';

interface Glibc {
  /** Bytes that `malloc` has given out, in all threads, those it maps one by one included. */
  readonly usedBytes: () => number;
  readonly mallocTrim: (padBytes: number) => number;
}

let found: Glibc | undefined | 'none';

/** glibc's own figures; undefined with another C library. */
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
        return hblkhd + uordblks;
      },
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
 * Gives the operating system back what freed buffers left idle, once. The C library keeps them to use them again, which
 * is right for buffers that come and go all the time: handed back at once instead, streamed weights took a third longer or more
 * (docs/adr/0018). Does nothing with another C library than glibc.
 */
export function returnFreedBuffers(): void {
  glibc()?.mallocTrim(0);
}
