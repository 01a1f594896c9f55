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
  promptLookup,
  VericacheSource,
  type CacheIdentity,
  type CompressionSettings,
  type DiskCacheOptions,
  type Proposer,
} from '../../vericache';

/** Below a conversation's folder. */
const CACHE_FOLDER = 'cache';

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
}

/** A source of verified, or lossy, tokens and the full cache on disk behind it. */
export interface OpenVericache {
  readonly source: VericacheSource;
  /** Waits until the cache has all whole blocks of the text. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the full cache of a folder, and a source over it. One that was computed by another model, runtime or processor
 * is dropped and computed again.
 * @throws SluiceError `budget-too-small`, `bad-input`, `not-found` (compressor), `conflict` (open elsewhere), `io`.
 */
export async function openVericache(request: VericacheRequest): Promise<OpenVericache> {
  const { model, environment, settings, maxTokens, onRound, nowMs } = request;
  const pool = CacheReaderPool.start();
  let fullCache: DiskCache | undefined;
  try {
    fullCache = await openFullCache(request, pool);
    const source = VericacheSource.open({
      environment,
      decoder: model.decoder,
      fullCache,
      storedText: fullCache.tokens,
      compression: compressionOf(settings),
      budgetBytes: settings.budgetBytes,
      maxTokens,
      draftLength: settings.draftLength,
      proposers: proposersOf(settings),
      sampling: samplingOf(settings),
      endTokens: model.tokenizer.endTokens,
      onRound,
      ...(nowMs && { nowMs }),
    });
    const opened = fullCache;
    const close = async (): Promise<void> => {
      try {
        await source.settled();
      } finally {
        await source.close();
        await opened.close();
        await pool.close();
      }
    };
    return { source, close };
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

export function proposersOf(settings: LanguageSettings): readonly Proposer[] {
  return settings.promptLookup ? [promptLookup()] : [];
}

export function samplingOf({ temperature, topP, minP, seed }: LanguageSettings): {
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
} {
  return { temperature, topP, minP, seed };
}

async function openFullCache(
  { model, weights, environment, folder }: VericacheRequest,
  pool: CacheReaderPool,
): Promise<DiskCache> {
  const { layers, kvHeads, headDim, contextLength } = model.decoder.config;
  const identity: CacheIdentity = {
    weights,
    runtime: environment.version,
    // Long, and compared as a whole.
    instructionSet: createHash('sha256').update(instructionSet()).digest('hex'),
    precision: model.decoder.precision,
  };
  const options: DiskCacheOptions = {
    folder: join(folder, CACHE_FOLDER),
    // Room takes no disk space until it is used.
    shape: { layers, kvHeads, headDim, capacityTokens: contextLength },
    identity,
    pool,
  };
  try {
    return await DiskCache.open(options);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'stale-store') throw error;
    await rm(options.folder, { recursive: true, force: true });
    return DiskCache.open(options);
  }
}
