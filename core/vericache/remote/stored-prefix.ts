import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import { LargePageMemory, releasePages, type NativeMemory } from '../../ort';
import { ioError } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheReaderPool } from '../store/cache-reader-pool';
import { DiskCache } from '../store/disk-cache';
import { packLayer } from './layer-body';
import type { PrefixFacts } from './prefix-facts';

interface Opened {
  readonly cache: DiskCache;
  /** For one layer at a time. */
  readonly memory: NativeMemory;
}

/** A beginning of a text on this node's disk; its file is open while layers are asked for. One call after the other. */
export class StoredPrefix {
  private opened: Opened | undefined;
  private isRemoved = false;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly folder: string,
    readonly id: string,
    readonly facts: PrefixFacts,
    private readonly pool: CacheReaderPool,
  ) {}

  get blocks(): number {
    return this.facts.hashes.length;
  }

  /** Of this prefix and a text that has blocks of these names. */
  sharedBlocks(hashes: readonly string[]): number {
    // A name stands for all before it.
    let shared = Math.min(hashes.length, this.blocks);
    while (shared > 0 && hashes[shared - 1] !== this.facts.hashes[shared - 1]) shared -= 1;
    return shared;
  }

  /** @returns as `layerBodyBytes` has it. @throws SluiceError `bad-input`, `corrupt-store`, `conflict`, `io`. */
  layer(layer: number, blocks: number): Promise<Buffer> {
    return this.inTurn(async () => {
      const { cache, memory } = await this.open();
      if (layer >= this.facts.shape.layers || blocks > cache.blocks) {
        throw new SluiceError(
          'bad-input',
          `There are ${this.facts.shape.layers} layers of ${cache.blocks} blocks; layer ${layer} was asked for, ${blocks} blocks.`,
        );
      }
      await cache.read(layer, blocks, { memory, capacity: blocks * BLOCK_TOKENS }).done;
      return packLayer(cache.layout, blocks, memory);
    });
  }

  /** Puts the first blocks into another cache, which is empty. @throws SluiceError as `layer`. */
  copyTo(target: DiskCache, blocks: number): Promise<void> {
    return this.inTurn(async () => {
      const { cache, memory } = await this.open();
      const rows = { memory, capacity: blocks * BLOCK_TOKENS };
      for (let layer = 0; layer < this.facts.shape.layers; layer += 1) {
        await cache.read(layer, blocks, rows).done;
        await target.write(layer, 0, blocks, rows, 0);
      }
      await target.commit(blocks, cache.tokens.slice(0, blocks * BLOCK_TOKENS));
    });
  }

  /** It is opened again by the next call. */
  close(): Promise<void> {
    return this.inTurn(() => this.release());
  }

  /** Deletes it; calls that wait find nothing. @throws SluiceError `io`. */
  remove(): Promise<void> {
    return this.inTurn(async () => {
      this.isRemoved = true;
      await this.release();
      const path = join(this.folder, this.id);
      await rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
        throw ioError(`Can't remove ${path}`, cause);
      });
    });
  }

  private async release(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    await opened?.cache.close();
    if (opened) releasePages(opened.memory);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async open(): Promise<Opened> {
    if (this.opened) return this.opened;
    if (this.isRemoved) throw noPrefix(this.id);
    const { identity, shape } = this.facts;
    const capacityTokens = this.blocks * BLOCK_TOKENS;
    const cache = await DiskCache.open({
      folder: join(this.folder, this.id),
      shape: { ...shape, capacityTokens },
      identity,
      pool: this.pool,
    });
    if (cache.blocks < this.blocks) {
      await cache.close();
      throw new SluiceError('corrupt-store', `${this.id} has lost blocks on disk.`, { id: this.id });
    }
    const layerBytes = cache.layout.regions * this.blocks * cache.layout.blockBytes;
    this.opened = { cache, memory: LargePageMemory.allocate(layerBytes).block };
    return this.opened;
  }
}

export function noPrefix(id: string): SluiceError {
  return new SluiceError('not-found', `There is no prefix ${id} here any more; prefill it again.`, { id });
}
