import { BLOCK_TOKENS } from '../../full-cache';
import type { CacheIdentity } from '../cache-identity';
import type { CacheLayout, CacheRows, CacheShape } from '../cache-layout';
import type { DiskCache } from '../disk-cache';

const FLOAT_BYTES = 4;
const PAGE_BYTES = 65_536;

export const IDENTITY: CacheIdentity = {
  weights: 'a'.repeat(64),
  runtime: 'onnxruntime 1.30.0',
  instructionSet: 'x86-64-avx512',
  precision: 'packed',
};

/** Rows in a memory of their own. @param skipBytes where they begin in it. */
export function makeRows(shape: CacheShape, capacity: number, skipBytes = 0): CacheRows {
  const byteLength = 2 * shape.kvHeads * capacity * shape.headDim * FLOAT_BYTES;
  const pages = Math.ceil((skipBytes + byteLength) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const bytes = new Uint8Array(memory.buffer, skipBytes, byteLength);
  return { capacity, memory: { memory, byteOffset: skipBytes, bytes, address: 0n } };
}

/** Tokens of one block; another `text` gives others. */
export function tokensOf(text: number, block: number): number[] {
  return Array.from(
    { length: BLOCK_TOKENS },
    (_, at) => Math.imul(text + 1, 7919) + block * BLOCK_TOKENS + at,
  );
}

/** Puts what a model would have computed for these tokens into rows from `row` on: bits that depend on all of them. */
export function fillRows(
  layout: CacheLayout,
  rows: CacheRows,
  row: number,
  layer: number,
  tokens: readonly number[],
): void {
  forEachRow(layout, rows, row, tokens, (words, region, token) => {
    for (let at = 0; at < words.length; at += 1) words[at] = wordOf(layer, region, token, at);
  });
}

/** How many rows from `row` on do not hold what `fillRows` puts there. */
export function wrongRows(
  layout: CacheLayout,
  rows: CacheRows,
  row: number,
  layer: number,
  tokens: readonly number[],
): number {
  let wrong = 0;
  forEachRow(layout, rows, row, tokens, (words, region, token) => {
    if (words.some((word, at) => word !== wordOf(layer, region, token, at))) wrong += 1;
  });
  return wrong;
}

function forEachRow(
  { shape, regions }: CacheLayout,
  rows: CacheRows,
  row: number,
  tokens: readonly number[],
  use: (words: Int32Array, region: number, token: number) => void,
): void {
  const { buffer, byteOffset } = rows.memory.bytes;
  for (let region = 0; region < regions; region += 1) {
    for (const [at, token] of tokens.entries()) {
      const start = (region * rows.capacity + row + at) * shape.headDim * FLOAT_BYTES;
      use(new Int32Array(buffer, byteOffset + start, shape.headDim), region, token);
    }
  }
}

function wordOf(layer: number, region: number, token: number, at: number): number {
  const mixed = Math.imul(token ^ Math.imul(layer * 64 + region + 1, 0x9e3779b1), 0x85ebca6b) + at;
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** Of blocks `from` to `end` of text number `text`. */
export function textOf(text: number, from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, at) => tokensOf(text, from + at)).flat();
}

/** Writes blocks up to `end` of every layer, not committed. @param skipBytes where the rows lie in their memory. */
export async function writeBlocks(
  cache: DiskCache,
  end: number,
  tokens: readonly number[],
  skipBytes = 0,
): Promise<void> {
  const { blocks, layout } = cache;
  const row = skipBytes === 0 ? 0 : 40;
  const rows = makeRows(layout.shape, tokens.length + 40, skipBytes);
  for (let layer = 0; layer < layout.shape.layers; layer += 1) {
    fillRows(layout, rows, row, layer, tokens);
    await cache.write(layer, blocks, end, rows, row);
  }
}

/** Writes and commits blocks up to `end` as text number `text` has them. */
export async function append(cache: DiskCache, end: number, text = 0, skipBytes = 0): Promise<void> {
  const tokens = textOf(text, cache.blocks, end);
  await writeBlocks(cache, end, tokens, skipBytes);
  await cache.commit(end, tokens);
}

/** Reads the first blocks of all layers, all at once. @returns how many rows are not those of the cache's own tokens. */
export async function wrongRowsOf(cache: DiskCache, blocks = cache.blocks, skipBytes = 0): Promise<number> {
  const { layout } = cache;
  const layers = Array.from({ length: layout.shape.layers }, (_, layer) => layer);
  const rows = layers.map(() => makeRows(layout.shape, Math.max(1, blocks * BLOCK_TOKENS), skipBytes));
  const reads = layers.map((layer) => cache.read(layer, blocks, rows[layer]!));
  await Promise.all(reads.map((read) => read.done));
  if (!reads.every((read) => read.isDone))
    throw new Error('A read that resolved does not say that it is done.');
  const tokens = cache.tokens.slice(0, blocks * BLOCK_TOKENS);
  return layers.reduce((sum, layer) => sum + wrongRows(layout, rows[layer]!, 0, layer, tokens), 0);
}
