import { createHash } from 'node:crypto';
import { closeSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { openBelow } from '../base';
import { SluiceError } from '../contract';
import { ioError } from './atomic-file';

const CHUNK_BYTES = 4 << 20;
const readInto = promisify(read);

export interface HashedRange {
  readonly offset: number;
  readonly byteLength: number;
  /** As `openBelow` has them. */
  readonly folders?: readonly string[];
}

/** SHA-256 of bytes, as lower-case hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * SHA-256 of a range of a file.
 * @param onBytes told how many more bytes were hashed. @param signal stops it with `cancelled`.
 * @throws SluiceError `io` when it can't be read or ends early, `bad-model` when it lies elsewhere, `cancelled`.
 */
export async function sha256OfFile(
  path: string,
  range: HashedRange,
  onBytes: (bytes: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  const fd = opened(path, range.folders);
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, range.byteLength)));
  try {
    let done = 0;
    while (done < range.byteLength) {
      if (signal?.aborted) throw new SluiceError('cancelled', `Reading ${path} was cancelled.`, { path });
      const want = Math.min(buffer.length, range.byteLength - done);
      const at = range.offset + done;
      const { bytesRead } = await readInto(fd, buffer, 0, want, at).catch((cause: unknown) => {
        throw ioError(`Can't read ${path} at byte ${at}`, cause);
      });
      if (bytesRead === 0) {
        throw new SluiceError(
          'io',
          `${path} ended at byte ${at}; expected ${range.byteLength - done} more.`,
          { path },
        );
      }
      hash.update(buffer.subarray(0, bytesRead));
      done += bytesRead;
      onBytes(bytesRead);
    }
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}

function opened(path: string, folders: readonly string[] | undefined): number {
  try {
    return openBelow(path, folders);
  } catch (cause) {
    throw ioError(`Can't open ${path}`, cause);
  }
}
