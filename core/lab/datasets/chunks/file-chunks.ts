import type { FileHandle } from 'node:fs/promises';

import type { ContentCutter } from './content-cutter';

/** Chunks are cut from blocks of so many of the longest ones. */
const CHUNKS_A_BLOCK = 2;

/**
 * The chunks of a file, in order. Each is a part of a block that is not written again: it may be kept.
 * @param byteLength as far as known; a file that grows or shrinks is read to its end.
 * @throws what the file system says.
 */
export async function* chunksOf(
  file: FileHandle,
  byteLength: number,
  cutter: ContentCutter,
): AsyncGenerator<Buffer, void> {
  const { maxBytes } = cutter.sizes;
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;
  for (;;) {
    // One more than there should be shows the end without a read for nothing.
    const room = Math.max(rest.length + Math.max(0, byteLength - position) + 1, maxBytes / 16);
    const block = Buffer.allocUnsafeSlow(Math.min(CHUNKS_A_BLOCK * maxBytes, Math.ceil(room)));
    rest.copy(block);
    const { filled, isAtEnd } = await fill(file, block, rest.length, position);
    position += filled - rest.length;
    let from = 0;
    while (filled - from >= maxBytes || (isAtEnd && from < filled)) {
      const end = cutter.cut(block, from, filled);
      yield block.subarray(from, end);
      from = end;
    }
    if (isAtEnd) return;
    rest = block.subarray(from, filled);
  }
}

async function fill(
  file: FileHandle,
  block: Buffer,
  from: number,
  position: number,
): Promise<{ filled: number; isAtEnd: boolean }> {
  let filled = from;
  while (filled < block.length) {
    const { bytesRead } = await file.read(block, filled, block.length - filled, position + filled - from);
    if (bytesRead === 0) return { filled, isAtEnd: true };
    filled += bytesRead;
  }
  return { filled, isAtEnd: false };
}
