import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { SluiceError } from '../../contract';
import { ioError, syncFolder } from '../../storage';
import { BLOCK_TOKENS, type FullCache, type LayerRead } from '../full-cache';
import type { JobFailure } from './cache-job';
import { checkHeader, JOURNAL_VERSION, type CacheIdentity } from './cache-identity';
import { CacheLayout, type CacheRows, type CacheShape } from './cache-layout';
import type { CacheFile, CacheReaderPool, CacheTask } from './cache-reader-pool';
import { lockFolder } from './folder-lock';
import { createJournal, JournalFile, readJournal } from './journal-file';
import { readTail, writeTail, type TailRows } from './tail-file';

export const DATA_FILE = 'kv.bin';
export const JOURNAL_FILE = 'journal';
export const TAIL_FILE = 'tail';

export interface DiskCacheOptions {
  /** Made when it is not there; nothing else may lie in it under the names of this file. */
  readonly folder: string;
  /** Of a cache that is there already the capacity it was made with stays. */
  readonly shape: CacheShape;
  readonly identity: CacheIdentity;
  readonly pool: CacheReaderPool;
  /** `held` when the caller has the folder's lock already. */
  readonly lock?: 'take' | 'held';
}

/**
 * The full cache in a folder: `kv.bin` with keys and values (see `CacheLayout`) and a journal of what counts. Every block
 * read is compared with the sum that the journal has of it. One writer: of `write`, `commit`, `truncate` and `saveTail`
 * one call at a time; reads may go on beside them, except of blocks that were dropped and are written anew.
 */
export class DiskCache implements FullCache {
  /** Whether a layer's block has been written since it last counted, `[layer][block]`. */
  private readonly written: Uint8Array;
  private readonly tasks = new Set<Promise<void>>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly folder: string,
    private readonly pool: CacheReaderPool,
    private readonly file: CacheFile,
    private readonly data: FileHandle,
    private readonly journal: JournalFile,
    private readonly unlock: () => Promise<void>,
  ) {
    this.written = new Uint8Array(this.layout.shape.layers * this.layout.capacityBlocks);
  }

  /**
   * Opens a cache at its last commit, or makes an empty one. A journal that is damaged counts as far as it is whole,
   * and of a `kv.bin` that was cut what is there.
   * @throws SluiceError `stale-store` (other weights, runtime, instruction set or precision; see `dropCache`),
   * `conflict` (another process has it open), `unsupported` (head dimension), `io`.
   */
  static async open(options: DiskCacheOptions): Promise<DiskCache> {
    const { folder, pool } = options;
    await makeFolder(folder);
    const unlock = options.lock === 'held' ? async () => undefined : await lockFolder(folder);
    let journal: JournalFile | undefined;
    try {
      const header = { version: JOURNAL_VERSION, identity: options.identity, shape: options.shape } as const;
      const path = join(folder, JOURNAL_FILE);
      const dataPath = join(folder, DATA_FILE);
      const found = await readJournal(path);
      if (found) checkHeader(folder, found.header, header);
      // Also refuses a shape that no cache can have, before anything is made.
      const layout = found?.layout ?? new CacheLayout(options.shape);
      journal = await JournalFile.open(path, found ?? (await createJournal(path, header)));
      const { data, blocksThere } = await openData(dataPath, layout, found !== undefined);
      const cache = new DiskCache(folder, pool, pool.file(dataPath), data, journal, unlock);
      if (blocksThere < cache.blocks) await journal.truncate(blocksThere);
      await syncFolder(folder);
      return cache;
    } catch (error) {
      await journal?.close();
      await unlock();
      throw error;
    }
  }

  get layout(): CacheLayout {
    return this.journal.content.layout;
  }

  get blocks(): number {
    return this.journal.content.blocks;
  }

  /** Of all blocks that count: the text whose keys and values these are. */
  get tokens(): readonly number[] {
    return this.journal.content.tokens;
  }

  /** Memory that it holds for the sums. */
  get indexBytes(): number {
    return this.journal.content.sums.byteLength;
  }

  /** `corrupt-store` names the lowest block found bad in `details.block`: drop it and what follows with `truncate`. */
  read(layer: number, blocks: number, target: CacheRows): LayerRead {
    if (blocks > this.blocks) throw misuse(`${blocks} blocks were asked for of ${this.blocks}.`);
    if (blocks === 0) return { isDone: true, done: Promise.resolve() };
    return this.run('read', { layer, from: 0, to: blocks }, target, 0);
  }

  async write(layer: number, from: number, to: number, source: CacheRows, row: number): Promise<void> {
    const { capacityBlocks } = this.layout;
    if (to > capacityBlocks) throw misuse(`${to} blocks don't fit a cache of ${capacityBlocks}.`);
    if (from < this.blocks) throw misuse(`Block ${from} counts already; truncate first.`);
    if (to <= from) return;
    this.written.fill(0, layer * capacityBlocks + from, layer * capacityBlocks + to);
    await this.run('write', { layer, from, to }, source, row).done;
    this.written.fill(1, layer * capacityBlocks + from, layer * capacityBlocks + to);
  }

  async commit(blocks: number, tokens: readonly number[]): Promise<void> {
    this.refuseClosed();
    const { blocks: from, layout } = this;
    if (tokens.length !== (blocks - from) * BLOCK_TOKENS) {
      throw misuse(`${tokens.length} tokens can't be those of ${blocks - from} blocks.`);
    }
    if (blocks === from) return;
    for (let layer = 0; layer < layout.shape.layers; layer += 1) {
      const start = layer * layout.capacityBlocks;
      const missing = this.written.subarray(start + from, start + blocks).indexOf(0);
      if (missing >= 0) throw misuse(`Block ${from + missing} of layer ${layer} was not written.`);
    }
    // Values first: a commit that is found after a power cut must not be of values that are not there.
    await this.data.datasync().catch((cause: unknown) => {
      throw ioError(`Can't write ${this.file.path}`, cause);
    });
    await this.journal.commit(blocks, tokens);
  }

  async truncate(blocks: number): Promise<void> {
    this.refuseClosed();
    const { layers } = this.layout.shape;
    const { capacityBlocks } = this.layout;
    if (blocks < this.blocks) await this.journal.truncate(blocks);
    for (let layer = 0; layer < layers; layer += 1) {
      this.written.fill(0, layer * capacityBlocks + blocks, (layer + 1) * capacityBlocks);
    }
  }

  /**
   * Keeps tokens past the last whole block, fewer than `BLOCK_TOKENS`, for the next `open`. They count as long as the
   * committed blocks are those of now. @param rowsOf where a layer's rows of these tokens are. @throws SluiceError `io`.
   */
  async saveTail(tokens: readonly number[], rowsOf: (layer: number) => TailRows): Promise<void> {
    this.refuseClosed();
    if (tokens.length >= BLOCK_TOKENS) throw misuse(`${tokens.length} tokens are a whole block: write it.`);
    await writeTail(join(this.folder, TAIL_FILE), this.journal.content, tokens, rowsOf);
  }

  /**
   * Puts the rows that `saveTail` kept where `rowsOf` says. @returns their tokens; none when nothing was kept, when it
   * belongs to other blocks, or when it is damaged: they are then to be computed again. @throws SluiceError `io`.
   */
  async loadTail(rowsOf: (layer: number) => TailRows): Promise<readonly number[]> {
    this.refuseClosed();
    return readTail(join(this.folder, TAIL_FILE), this.journal.content, rowsOf);
  }

  /** Waits for reads and writes under way. What was not committed is lost. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    try {
      await Promise.all(this.tasks);
      await this.pool.closeFile(this.file);
      await this.data.close();
      await this.journal.close();
    } finally {
      await this.unlock();
    }
  }

  private run(
    kind: 'read' | 'write',
    range: { readonly layer: number; readonly from: number; readonly to: number },
    rows: CacheRows,
    row: number,
  ): CacheTask {
    this.refuseClosed();
    const { layout } = this;
    const { layer, from, to } = range;
    const rowBytes = layout.blockBytes / BLOCK_TOKENS;
    checkRows(layout, rows, row, (to - from) * BLOCK_TOKENS);
    const task = this.pool.run(
      this.file,
      rows.memory.memory,
      {
        kind,
        regions: layout.regions,
        blocks: to - from,
        blockBytes: layout.blockBytes,
        fileOffset: layout.chunkOffset(layer, 0, from),
        fileStride: layout.regionBytes,
        memoryOffset: rows.memory.byteOffset + row * rowBytes,
        memoryStride: rows.capacity * rowBytes,
        sums: this.journal.content.sums,
        sumOffset: layout.sumIndex(layer, 0, from),
        sumStride: layout.capacityBlocks,
      },
      (failure, cause) => this.failure(kind, range, failure, cause),
    );
    const settled = task.done.catch(() => undefined).finally(() => this.tasks.delete(settled));
    this.tasks.add(settled);
    return task;
  }

  private failure(
    kind: 'read' | 'write',
    { layer, from }: { readonly layer: number; readonly from: number },
    failure: JobFailure,
    cause: unknown,
  ): SluiceError {
    const { path } = this.file;
    const verb = kind === 'read' ? 'Reading' : 'Writing';
    if (failure.kind === 'unfinished') {
      const message = `${verb} layer ${layer} of ${path}: the thread that did it ended. Try again.`;
      return new SluiceError('io', message, { path, layer, errno: '' }, { cause });
    }
    const block = from + failure.block;
    const rows = this.layout.regionName(failure.region);
    const details = { path, layer, block, rows };
    if (failure.kind === 'io') {
      const errno = getSystemErrorName(-failure.errno);
      const what = `${verb} block ${block} of layer ${layer} (${rows}) in ${path}`;
      const { message } = ioError(what, Object.assign(new Error('the request failed'), { code: errno }));
      return new SluiceError('io', message, { ...details, errno });
    }
    return new SluiceError(
      'corrupt-store',
      `Block ${block} of layer ${layer} (${rows}) in ${path} is not what was written: its checksum differs. ` +
        `Tokens from ${block * BLOCK_TOKENS} on have to be computed again; check the disk if this comes back.`,
      details,
    );
  }

  private refuseClosed(): void {
    if (this.closing) throw misuse('it is closed.');
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw ioError(`Can't make ${folder}`, cause);
  });
}

/** @param isKnown false: whatever the file holds is nobody's. @returns blocks of every layer that it holds. */
async function openData(
  path: string,
  layout: CacheLayout,
  isKnown: boolean,
): Promise<{ readonly data: FileHandle; readonly blocksThere: number }> {
  try {
    const data = await open(path, 'a+');
    if (!isKnown) await data.truncate(0);
    const { size } = await data.stat();
    if (size < layout.fileBytes) await data.truncate(layout.fileBytes);
    return { data, blocksThere: layout.blocksWithin(size) };
  } catch (cause) {
    throw ioError(`Can't open ${path}`, cause);
  }
}

function checkRows(layout: CacheLayout, rows: CacheRows, row: number, count: number): void {
  const bytes = (layout.regions * rows.capacity * layout.blockBytes) / BLOCK_TOKENS;
  if (row + count > rows.capacity || bytes > rows.memory.bytes.byteLength) {
    throw misuse(`rows ${row} to ${row + count} are not within ${rows.capacity} of this shape.`);
  }
}

/** A fault of the caller, not of the disk. */
function misuse(what: string): SluiceError {
  return new SluiceError('internal', `Cache on disk: ${what}`);
}
