import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDiskFault, ioError, writeFileAtomic } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheLayout, CacheRows } from './cache-layout';
import type { JournalContent } from './journal-records';

/** Where a layer's rows of the tail begin. */
export interface TailRows {
  readonly rows: CacheRows;
  readonly row: number;
}

/**
 * Magic and number of tokens (uint32), digest of the journal that it follows, tokens (int32), rows `[layer][region]`,
 * and the SHA-256 of all that. The journal's digest stands for model, layout and text before it.
 */
const MAGIC = 0x4b561001;
const DIGEST_BYTES = 32;
export const TAIL_HEAD_BYTES = 8 + DIGEST_BYTES;
const TOKEN_BYTES = 4;

type Journal = Pick<JournalContent, 'layout' | 'digest'>;

/** @throws SluiceError `io`; what was kept before then stays. */
export async function writeTail(
  path: string,
  { layout, digest }: Journal,
  tokens: readonly number[],
  rowsOf: (layer: number) => TailRows,
): Promise<void> {
  const numbers = Uint32Array.of(MAGIC, tokens.length);
  const parts = [new Uint8Array(numbers.buffer), digest, new Uint8Array(Int32Array.from(tokens).buffer)];
  for (let layer = 0; layer < layout.shape.layers; layer += 1) {
    parts.push(...tailViews(layout, rowsOf(layer), tokens.length));
  }
  const content = Buffer.concat(parts);
  await writeFileAtomic(path, Buffer.concat([content, sha256(content)]));
}

/** @returns the tokens whose rows were put in place, none where the file can't be used. @throws SluiceError `io`. */
export async function readTail(
  path: string,
  journal: Journal,
  rowsOf: (layer: number) => TailRows,
): Promise<readonly number[]> {
  const file = await readFile(path).catch((cause: unknown) => {
    if (isDiskFault(cause)) throw ioError(`Can't read ${path}`, cause);
    return undefined; // there is none
  });
  const count = file && tailTokens(file, file.byteLength, journal);
  if (!file || !count) return [];
  const content = file.subarray(0, file.byteLength - DIGEST_BYTES);
  if (!sha256(content).equals(file.subarray(content.byteLength))) return [];
  let at = TAIL_HEAD_BYTES + count * TOKEN_BYTES;
  const tokens = new Int32Array(Uint8Array.from(file.subarray(TAIL_HEAD_BYTES, at)).buffer);
  for (let layer = 0; layer < journal.layout.shape.layers; layer += 1) {
    for (const view of tailViews(journal.layout, rowsOf(layer), count)) {
      view.set(file.subarray(at, at + view.byteLength));
      at += view.byteLength;
    }
  }
  return [...tokens];
}

/** Tokens of a tail that follows this journal, 0 for another one. @param head its first `TAIL_HEAD_BYTES`, or more. */
export function tailTokens(head: Uint8Array, fileBytes: number, { layout, digest }: Journal): number {
  if (head.byteLength < TAIL_HEAD_BYTES) return 0;
  const [magic, count = 0] = new Uint32Array(Uint8Array.from(head.subarray(0, 8)).buffer);
  const rowBytes = layout.blockBytes / BLOCK_TOKENS;
  const bytes = TAIL_HEAD_BYTES + count * (TOKEN_BYTES + layout.shape.layers * layout.regions * rowBytes);
  const isSame = magic === MAGIC && Buffer.compare(head.subarray(8, TAIL_HEAD_BYTES), digest) === 0;
  return isSame && fileBytes === bytes + DIGEST_BYTES ? count : 0;
}

/** The rows of each region of a layer, in place. */
function tailViews(layout: CacheLayout, { rows, row }: TailRows, count: number): Uint8Array[] {
  const rowBytes = layout.blockBytes / BLOCK_TOKENS;
  const { bytes } = rows.memory;
  return Array.from({ length: layout.regions }, (_, region) => {
    const start = (region * rows.capacity + row) * rowBytes;
    return bytes.subarray(start, start + count * rowBytes);
  });
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
