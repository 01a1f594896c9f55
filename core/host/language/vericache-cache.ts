import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import type { LanguageSettings, RoundRecord } from '../../contract';
import { instructionSet } from '../../layering';
import type { LanguageModel } from '../../llm';
import type { OrtEnvironment } from '../../ort';
import {
  CacheReaderPool,
  compressorNamed,
  DiskCache,
  openRemotePrefix,
  promptLookup,
  RemoteFullCache,
  VericacheSource,
  type CacheIdentity,
  type CompressionSettings,
  type DiskCacheOptions,
  type OpenRemotePrefix,
  type Proposer,
  type RemotePrefixRequest,
} from '../../vericache';

/** Below a conversation's folder. */
const CACHE_FOLDER = 'cache';
/** Begins in the middle of a text, so that it is never the cache of a conversation. */
const BEHIND_PREFIX_FOLDER = 'cache-behind-prefix';

/** Another node that has the beginning of a text, or computes it. */
export interface RemoteBeginning extends Pick<RemotePrefixRequest, 'node' | 'model' | 'tokens'> {
  readonly signal: AbortSignal;
  /** Hears why the node is done without, when it can't be reached. */
  readonly log: (message: string) => void;
}

export interface VericacheRequest {
  readonly model: LanguageModel;
  /** SHA-256 of the model's file, or another name of exactly its weights. */
  readonly weights: string;
  readonly environment: OrtEnvironment;
  readonly settings: LanguageSettings;
  /** The full cache is kept below it. */
  readonly folder: string;
  readonly maxTokens: number;
  readonly onRound: (round: RoundRecord) => void;
  readonly nowMs?: () => number;
  /** Asked where prompt lookup has nothing. Its owner closes it after the source. */
  readonly draftModel?: Proposer;
  /** For a text that is continued once: what follows the node's blocks is not kept. */
  readonly remote?: RemoteBeginning;
}

/** A source of verified, or lossy, tokens and the full cache on disk behind it. */
export interface OpenVericache {
  readonly source: VericacheSource;
  /** Of the text's beginning that came from another node. */
  readonly remoteTokens: number;
  /** Waits until the cache has all whole blocks of the text. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the full cache of a folder, and a source over it. One that was computed by another model, runtime or processor
 * is dropped and computed again.
 * @throws SluiceError `budget-too-small`, `bad-input`, `not-found` (compressor), `conflict` (open elsewhere), `io`; with a
 * node as `openRemotePrefix`, but for one that can't be reached.
 */
export async function openVericache(request: VericacheRequest): Promise<OpenVericache> {
  const { model, environment, settings, maxTokens, onRound, nowMs } = request;
  const pool = CacheReaderPool.start();
  let fullCache: DiskCache | RemoteFullCache | undefined;
  try {
    const opened = await openFullCache(request, pool);
    fullCache = opened.cache;
    const source = VericacheSource.open({
      environment,
      decoder: model.decoder,
      fullCache,
      storedText: opened.storedText,
      compression: compressionOf(settings),
      budgetBytes: settings.budgetBytes,
      maxTokens,
      draftLength: settings.draftLength,
      proposers: proposersOf(settings, request.draftModel),
      sampling: samplingOf(settings),
      endTokens: model.tokenizer.endTokens,
      onRound,
      ...(nowMs && { nowMs }),
    });
    const { cache } = opened;
    const close = async (): Promise<void> => {
      try {
        await source.settled();
      } finally {
        // What a node still sends ahead is of no use any more.
        if (cache instanceof RemoteFullCache) await cache.giveUp();
        await source.close();
        await cache.close();
        await pool.close();
      }
    };
    const remoteTokens = cache instanceof RemoteFullCache ? opened.storedText.length : 0;
    return { source, remoteTokens, close };
  } catch (error) {
    await fullCache?.close();
    await pool.close();
    throw error;
  }
}

/** @throws SluiceError `not-found` (compressor), `bad-input` (a ratio it can't give). */
export function compressionOf({ compressor: name, ratio, mode }: LanguageSettings): CompressionSettings {
  const compressor = compressorNamed(name);
  return { compressor, ratio: compressor.fixedRatio ?? ratio, verify: mode !== 'lossy' };
}

export function proposersOf(
  { promptLookup: isLookedUp }: LanguageSettings,
  draftModel: Proposer | undefined,
): readonly Proposer[] {
  return [...(isLookedUp ? [promptLookup()] : []), ...(draftModel ? [draftModel] : [])];
}

export function samplingOf({ temperature, topP, minP, seed }: LanguageSettings): {
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
} {
  return { temperature, topP, minP, seed };
}

/** What the bits of caches of this process depend on. @param weights see `VericacheRequest`. */
export function cacheIdentityOf(
  model: LanguageModel,
  weights: string,
  environment: OrtEnvironment,
): CacheIdentity {
  return {
    weights,
    runtime: environment.version,
    // Long, and compared as a whole.
    instructionSet: createHash('sha256').update(instructionSet()).digest('hex'),
    precision: model.decoder.precision,
  };
}

interface OpenFullCache {
  readonly cache: DiskCache | RemoteFullCache;
  readonly storedText: readonly number[];
}

async function openFullCache(request: VericacheRequest, pool: CacheReaderPool): Promise<OpenFullCache> {
  const { model, weights, environment, folder, remote } = request;
  const { layers, kvHeads, headDim, contextLength } = model.decoder.config;
  const options: DiskCacheOptions = {
    folder: join(folder, CACHE_FOLDER),
    // Room takes no disk space until it is used.
    shape: { layers, kvHeads, headDim, capacityTokens: contextLength },
    identity: cacheIdentityOf(model, weights, environment),
    pool,
  };
  if (remote) return (await openBehindPrefix(options, remote, folder)) ?? openAnew(options);
  return openAnew(options);
}

/** A cache of other weights, or another processor, is dropped. */
async function openAnew(options: DiskCacheOptions): Promise<OpenFullCache> {
  const open = async (): Promise<OpenFullCache> => {
    const cache = await DiskCache.open(options);
    return { cache, storedText: cache.tokens };
  };
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'stale-store') throw error;
    await rm(options.folder, { recursive: true, force: true });
    return open();
  }
}

/** @returns undefined when the node can't be reached. */
async function openBehindPrefix(
  options: DiskCacheOptions,
  { log, ...remote }: RemoteBeginning,
  folder: string,
): Promise<OpenRemotePrefix | undefined> {
  const behind = join(folder, BEHIND_PREFIX_FOLDER);
  await rm(behind, { recursive: true, force: true });
  const local = await DiskCache.open({ ...options, folder: behind });
  try {
    return await openRemotePrefix({ ...remote, identity: options.identity, local, missing: 'prefill' });
  } catch (thrown) {
    await local.close();
    const { code, message } = SluiceError.from(thrown);
    if (!['unavailable', 'timeout', 'overloaded'].includes(code)) throw thrown;
    log(`${message} Everything is computed here.`);
    return undefined;
  }
}
