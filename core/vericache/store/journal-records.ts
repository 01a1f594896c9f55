import { createHash } from 'node:crypto';
import { isNewerStore, refuseNewer, SluiceError } from '../../contract';
import { BLOCK_TOKENS } from '../full-cache';
import { JOURNAL_VERSION, journalHeaderSchema, type JournalHeader } from './cache-identity';
import { CacheLayout } from './cache-layout';

/**
 * A journal is a row of records: kind and payload length (uint32), payload, SHA-256 over the digest of the record before
 * and all of this one. What a reader finds is thus a prefix of what was written, whatever happened to the rest. All
 * numbers are little-endian, as in the memory of every machine that this runs on.
 */
const HEAD_BYTES = 8;
const DIGEST_BYTES = 32;
const WORD_BYTES = 4;
const SUM_BYTES = 8;
export const NO_DIGEST = new Uint8Array(DIGEST_BYTES);

const RecordKind = {
  /** JSON: `JournalHeader`. The first record, and only that. */
  header: 0x4b560001,
  /** First and end block, the tokens of these blocks, and their sums `[layer][region][block]`. */
  commit: 0x4b560002,
  /** Blocks that stay. */
  truncate: 0x4b560003,
} as const;

export interface JournalRecord {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

/** What the valid prefix of a journal says. */
export interface JournalContent {
  readonly header: JournalHeader;
  readonly layout: CacheLayout;
  blocks: number;
  /** Of all blocks, `BLOCK_TOKENS` each. */
  tokens: number[];
  /** Of all chunks that the layout has room for, in shared memory; those past `blocks` mean nothing. */
  readonly sums: BigUint64Array;
  /** Of the valid prefix. */
  byteLength: number;
  /** Of its last record: names this prefix among all. */
  digest: Uint8Array;
}

export function headerRecord(header: JournalHeader): JournalRecord {
  return record(RecordKind.header, new TextEncoder().encode(JSON.stringify(header)), NO_DIGEST);
}

export function truncateRecord(blocks: number, after: Uint8Array): JournalRecord {
  return record(RecordKind.truncate, bytesOf(Uint32Array.of(blocks)), after);
}

/** @param tokens of blocks `content.blocks` to `end`, whose sums stand in `content.sums`. */
export function commitRecord(content: JournalContent, end: number, tokens: readonly number[]): JournalRecord {
  const { layout, sums, blocks: from } = content;
  const added = new BigUint64Array(layout.shape.layers * layout.regions * (end - from));
  forEachRegion(layout, (at, index) => {
    added.set(sums.subarray(at + from, at + end), index * (end - from));
  });
  const parts = [Uint32Array.of(from, end), Int32Array.from(tokens), added].map(bytesOf);
  return record(RecordKind.commit, Buffer.concat(parts), content.digest);
}

/**
 * Reads as far as the records are whole and follow each other.
 * @param path for messages.
 * @returns undefined without a whole first record. @throws SluiceError `unsupported` when a newer Sluice wrote it,
 * `stale-store` when another version did.
 */
export function scanJournal(file: Uint8Array, path = 'A journal'): JournalContent | undefined {
  const bytes = bytesOf(file); // a Buffer's slices would share its memory
  const first = nextRecord(bytes, 0, NO_DIGEST);
  if (!first) return undefined;
  const header = parseHeader(first, path);
  const layout = new CacheLayout(header.shape);
  const sums = new BigUint64Array(new SharedArrayBuffer(SUM_BYTES * layout.sums));
  const { byteLength, digest } = first;
  const content: JournalContent = { header, layout, blocks: 0, tokens: [], sums, byteLength, digest };
  for (;;) {
    const next = nextRecord(bytes, content.byteLength, content.digest);
    if (!next || !apply(content, next)) return content;
    content.byteLength += next.byteLength;
    content.digest = next.digest;
  }
}

interface FoundRecord {
  readonly kind: number;
  readonly payload: Uint8Array;
  readonly digest: Uint8Array;
  readonly byteLength: number;
}

function nextRecord(bytes: Uint8Array, at: number, before: Uint8Array): FoundRecord | undefined {
  if (bytes.byteLength - at < HEAD_BYTES + DIGEST_BYTES) return undefined;
  const [kind = 0, payloadBytes = 0] = uint32s(bytes.subarray(at, at + HEAD_BYTES));
  const byteLength = HEAD_BYTES + payloadBytes + DIGEST_BYTES;
  if (bytes.byteLength - at < byteLength) return undefined;
  const told = bytes.subarray(at, at + HEAD_BYTES + payloadBytes);
  const digest = digestOf(before, told);
  if (Buffer.compare(digest, bytes.subarray(at + told.byteLength, at + byteLength)) !== 0) return undefined;
  return { kind, payload: told.subarray(HEAD_BYTES), digest, byteLength };
}

/** @returns whether the record made sense where it stands. */
function apply(content: JournalContent, { kind, payload }: FoundRecord): boolean {
  if (kind === RecordKind.commit) return applyCommit(content, payload);
  const [blocks = Infinity] = uint32s(payload.subarray(0, WORD_BYTES));
  if (kind !== RecordKind.truncate || blocks > content.blocks) return false;
  content.blocks = blocks;
  content.tokens.length = blocks * BLOCK_TOKENS;
  return true;
}

function applyCommit(content: JournalContent, payload: Uint8Array): boolean {
  const { layout } = content;
  const [from = 0, end = 0] = uint32s(payload.subarray(0, 2 * WORD_BYTES));
  const tokensEnd = (2 + (end - from) * BLOCK_TOKENS) * WORD_BYTES;
  const sumsBytes = layout.shape.layers * layout.regions * (end - from) * SUM_BYTES;
  const isInPlace = from === content.blocks && end > from && end <= layout.capacityBlocks;
  if (!isInPlace || payload.byteLength !== tokensEnd + sumsBytes) return false;
  const added = new BigUint64Array(payload.slice(tokensEnd).buffer);
  forEachRegion(layout, (at, index) => {
    content.sums.set(added.subarray(index * (end - from), (index + 1) * (end - from)), at + from);
  });
  for (const token of new Int32Array(payload.slice(2 * WORD_BYTES, tokensEnd).buffer)) {
    content.tokens.push(token);
  }
  content.blocks = end;
  return true;
}

function parseHeader({ kind, payload }: FoundRecord, path: string): JournalHeader {
  try {
    if (kind !== RecordKind.header) throw new Error(`its first record is of kind ${kind}`);
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    refuseNewer(value, 'version', { path, what: 'the cache of a conversation', known: JOURNAL_VERSION });
    return journalHeaderSchema.parse(value);
  } catch (cause) {
    if (isNewerStore(cause)) throw cause;
    throw new SluiceError(
      'stale-store',
      'The journal of this cache was written by another version of Sluice. Drop the cache and let it be computed again; ' +
        'the conversation itself stays.',
      {},
      { cause },
    );
  }
}

/** @param use told where the sums of a region begin, and its number among all. */
function forEachRegion(layout: CacheLayout, use: (sumIndex: number, region: number) => void): void {
  for (let layer = 0; layer < layout.shape.layers; layer += 1) {
    for (let region = 0; region < layout.regions; region += 1) {
      use(layout.sumIndex(layer, region, 0), layer * layout.regions + region);
    }
  }
}

function record(kind: number, payload: Uint8Array, after: Uint8Array): JournalRecord {
  const told = Buffer.concat([bytesOf(Uint32Array.of(kind, payload.byteLength)), payload]);
  const digest = digestOf(after, told);
  return { bytes: Buffer.concat([told, digest]), digest };
}

function digestOf(before: Uint8Array, told: Uint8Array): Uint8Array {
  return createHash('sha256').update(before).update(told).digest();
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function uint32s(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer, 0, Math.floor(bytes.byteLength / WORD_BYTES));
}
