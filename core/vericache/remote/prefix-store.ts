import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { formatBytes, type Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { Decoder } from '../../llm';
import type { OrtEnvironment } from '../../ort';
import { ioError, processFolder, sweepProcessFolders, syncFolder, writeFileAtomic } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheIdentity } from '../store/cache-identity';
import type { CacheReaderPool } from '../store/cache-reader-pool';
import { DiskCache } from '../store/disk-cache';
import { VericacheSource } from '../vericache-source';
import { blockHashes } from './block-hashes';
import { PREFIX_FILE, prefixBytes, readPrefixes, type PrefixFacts } from './prefix-facts';
import { noPrefix, StoredPrefix } from './stored-prefix';

/** Below the folder, one of each process that computes a prefix. */
const MAKING = '.making';

export interface PrefixLimits {
  /** Prefixes that are kept; the least recently used go. */
  readonly prefixes: number;
  /** Of all together. */
  readonly bytes: number;
  /** With their file and memory for a layer open. */
  readonly open: number;
}

export const DEFAULT_PREFIX_LIMITS: PrefixLimits = { prefixes: 16, bytes: 16 * 2 ** 30, open: 4 };

export interface PrefixStoreOptions {
  /** Made when something is kept. */
  readonly folder: string;
  readonly pool: CacheReaderPool;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly limits?: Partial<PrefixLimits>;
}

export interface PrefixRequest {
  readonly decoder: Decoder;
  readonly environment: OrtEnvironment;
  /** Of what the decoder computes here. */
  readonly identity: CacheIdentity;
  /** A multiple of `BLOCK_TOKENS`, at least one. */
  readonly tokens: readonly number[];
  readonly signal: AbortSignal;
}

/** A prefix as it is found. */
export interface FoundPrefix {
  readonly id: string;
  /** First blocks that are those of the text asked for. */
  readonly blocks: number;
  readonly identity: CacheIdentity;
}

/** Full caches of the beginnings of texts on this node's disk, for other nodes to read. They never change. */
export class PrefixStore {
  /** The least recently used first. */
  private readonly prefixes = new Map<string, StoredPrefix>();
  private readonly limits: PrefixLimits;

  private constructor(private readonly options: PrefixStoreOptions) {
    this.limits = { ...DEFAULT_PREFIX_LIMITS, ...options.limits };
  }

  /** Finds what is there; what can't be used is removed. @throws SluiceError `io`. */
  static async open(options: PrefixStoreOptions): Promise<PrefixStore> {
    const store = new PrefixStore(options);
    const { folder } = options;
    await sweepProcessFolders(join(folder, MAKING));
    const { known, unusable } = await readPrefixes(folder);
    for (const id of unusable) await rm(join(folder, id), { recursive: true, force: true });
    for (const [id, facts] of [...known].sort(([, a], [, b]) => a.createdMs - b.createdMs))
      store.add(id, facts);
    await store.makeRoom(0);
    return store;
  }

  /** The prefix that has the most of a text's first blocks, by their names. */
  find(hashes: readonly string[]): FoundPrefix | undefined {
    let best: StoredPrefix | undefined;
    let blocks = 0;
    for (const prefix of this.prefixes.values()) {
      const shared = prefix.sharedBlocks(hashes);
      if (shared > blocks) [best, blocks] = [prefix, shared];
    }
    if (!best) return undefined;
    this.use(best);
    return { id: best.id, blocks, identity: best.facts.identity };
  }

  /**
   * Computes what is not there of a text. Nothing else may use the decoder meanwhile.
   * @throws SluiceError `cancelled`, `budget-too-small` (more than may be kept), `io`, what the decoder throws.
   */
  async prefill(request: PrefixRequest): Promise<FoundPrefix> {
    const { identity, tokens, decoder } = request;
    const blocks = tokens.length / BLOCK_TOKENS;
    const hashes = blockHashes(identity, tokens, blocks);
    const found = this.find(hashes);
    if (found?.blocks === blocks) return found;
    const { layers, kvHeads, headDim } = decoder.config;
    const createdMs = this.options.clock.nowMs();
    const facts: PrefixFacts = {
      version: 1,
      identity,
      shape: { layers, kvHeads, headDim },
      hashes,
      createdMs,
    };
    await this.makeRoom(prefixBytes(facts), found?.id);
    const id = hashes[blocks - 1]!;
    await this.make(id, facts, request, found);
    this.add(id, facts);
    await this.makeRoom(0);
    return { id, blocks, identity };
  }

  /** @returns the bytes of `layerBodyBytes`. @throws SluiceError `not-found`, `bad-input`, `corrupt-store`, `io`. */
  async layer(id: string, layer: number, blocks: number): Promise<Buffer> {
    const prefix = this.prefixes.get(id);
    if (!prefix) throw noPrefix(id);
    this.use(prefix);
    await this.closeLeastUsed();
    try {
      return await prefix.layer(layer, blocks);
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'corrupt-store') await this.drop(prefix);
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const prefix of this.prefixes.values()) await prefix.close();
  }

  /** In a folder of its own, which takes its name in one step once it is whole. */
  private async make(
    id: string,
    facts: PrefixFacts,
    request: PrefixRequest,
    found: FoundPrefix | undefined,
  ): Promise<void> {
    const { folder } = this.options;
    const making = join(processFolder(join(folder, MAKING)), id);
    try {
      await mkdir(making, { recursive: true });
      await this.compute(making, facts, request, found);
      await writeFileAtomic(join(making, PREFIX_FILE), JSON.stringify(facts));
      await rm(join(folder, id), { recursive: true, force: true });
      await rename(making, join(folder, id));
      await syncFolder(folder);
    } catch (cause) {
      throw ioError(`Can't keep a prefix in ${folder}`, cause);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  private async compute(
    folder: string,
    { shape, identity }: PrefixFacts,
    { decoder, environment, tokens, signal }: PrefixRequest,
    found: FoundPrefix | undefined,
  ): Promise<void> {
    const { pool } = this.options;
    const cache = await DiskCache.open({
      folder,
      shape: { ...shape, capacityTokens: tokens.length },
      identity,
      pool,
    });
    try {
      if (found) await this.copy(found, cache);
      const source = VericacheSource.open({
        environment,
        decoder,
        fullCache: cache,
        storedText: cache.tokens,
        budgetBytes: 0,
        maxTokens: tokens.length,
        draftLength: 1,
        proposers: [],
      });
      try {
        await source.prefill(tokens, { signal });
        await source.settled();
      } finally {
        await source.close();
      }
    } finally {
      await cache.close();
    }
  }

  /** What is damaged, or another process has open, is computed like the rest. */
  private async copy({ id, blocks }: FoundPrefix, target: DiskCache): Promise<void> {
    const prefix = this.prefixes.get(id);
    try {
      await prefix?.copyTo(target, blocks);
    } catch (error) {
      const { code } = SluiceError.from(error);
      if (!prefix || !['corrupt-store', 'conflict'].includes(code)) throw error;
      if (code === 'corrupt-store') await this.drop(prefix);
    }
  }

  /** @param keep is not removed. */
  private async makeRoom(forBytes: number, keep?: string): Promise<void> {
    const { limits } = this;
    if (forBytes > limits.bytes) {
      throw new SluiceError(
        'budget-too-small',
        `The cache takes ${formatBytes(forBytes)}; ${formatBytes(limits.bytes)} are kept here. Send a shorter text.`,
        { minimumBytes: forBytes, budgetBytes: limits.bytes },
      );
    }
    const most = limits.prefixes - (forBytes > 0 ? 1 : 0);
    for (const prefix of [...this.prefixes.values()]) {
      const bytes = [...this.prefixes.values()].reduce(
        (sum, { facts }) => sum + prefixBytes(facts),
        forBytes,
      );
      if (this.prefixes.size <= most && bytes <= limits.bytes) return;
      if (prefix.id !== keep) await this.drop(prefix);
    }
  }

  private async drop(prefix: StoredPrefix): Promise<void> {
    this.prefixes.delete(prefix.id);
    await prefix.remove();
  }

  private add(id: string, facts: PrefixFacts): void {
    this.prefixes.set(id, new StoredPrefix(this.options.folder, id, facts, this.options.pool));
  }

  private use(prefix: StoredPrefix): void {
    this.prefixes.delete(prefix.id);
    this.prefixes.set(prefix.id, prefix);
  }

  private async closeLeastUsed(): Promise<void> {
    const idle = [...this.prefixes.values()].slice(0, -this.limits.open);
    for (const prefix of idle) await prefix.close();
  }
}
