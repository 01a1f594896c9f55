import { join } from 'node:path';

import { DEFAULT_LANGUAGE_SETTINGS, SluiceError } from '../../../contract';
import type { LanguageSettings } from '../../../contract';
import { generateFrom, tokenLimit } from '../../../llm';
import type { Generation } from '../../../llm';
import { SessionStore } from '../../../vericache';
import { systemClock } from '../../host-clock';
import { compressionOf, openVericache } from '../vericache-cache';
import type { ReplyGenerator } from './language-service';

/** How the caches of every reply are kept. */
export interface ServedCache extends Pick<LanguageSettings, 'compressor' | 'ratio' | 'budgetBytes'> {
  readonly mode: 'vericache' | 'lossy';
}

/** Of `sluice serve`. */
export interface ServedCacheOptions {
  readonly kv: LanguageSettings['mode'];
  readonly compressor?: string;
  readonly ratio?: number;
  /** Bytes. */
  readonly kvBudget?: number;
}

/**
 * @returns undefined for the full cache in memory.
 * @throws SluiceError `not-found` (the compressor), `bad-input` for options of a cache that is not asked for.
 */
export function cacheSettingsOf({
  kv: mode,
  compressor,
  ratio,
  kvBudget,
}: ServedCacheOptions): ServedCache | undefined {
  if (mode === 'full') {
    if (compressor === undefined && ratio === undefined && kvBudget === undefined) return undefined;
    throw new SluiceError(
      'bad-input',
      '--compressor, --ratio and --kv-budget are for --kv vericache or lossy.',
    );
  }
  const settings = {
    ...DEFAULT_LANGUAGE_SETTINGS,
    mode,
    ...(compressor !== undefined && { compressor }),
    ...(ratio !== undefined && { ratio }),
  };
  const { compressor: named, ratio: used } = compressionOf(settings);
  return { mode, compressor: named.name, ratio: used, budgetBytes: kvBudget ?? 0 };
}

/** Replies over a full cache on disk, each in a session of its own that goes with it. */
export class VericacheReplies {
  private constructor(
    private readonly store: SessionStore,
    private readonly cache: ServedCache,
  ) {}

  /** Deletes what killed processes left. @throws SluiceError `io`. */
  static async open(dataDir: string, cache: ServedCache): Promise<VericacheReplies> {
    const store = new SessionStore(join(dataDir, 'sessions'), systemClock);
    await store.sweep();
    return new VericacheReplies(store, cache);
  }

  /** What tells its texts from those over the full cache in memory; verified ones are the same. */
  get otherText(): string {
    const { mode, compressor, ratio } = this.cache;
    return mode === 'lossy' ? ` lossy ${compressor} ${ratio}` : '';
  }

  /** @throws SluiceError as `generate`; `bad-input` also where the caches don't fit their budget. */
  readonly generate: ReplyGenerator = async (model, prompt, options, { environment, sha256 }) => {
    const { contextLength } = model.decoder.config;
    const maxTokens = tokenLimit(prompt.length, contextLength, options.maxTokens);
    const { sampling, ...request } = options;
    const session = await this.store.create({
      title: 'sluice serve',
      model: model.file,
      isTemporary: true,
    });
    try {
      const { source, close } = await openVericache({
        model,
        weights: sha256,
        environment,
        settings: { ...DEFAULT_LANGUAGE_SETTINGS, ...this.cache, ...sampling },
        folder: session.folder,
        maxTokens: prompt.length + maxTokens,
        onRound: () => undefined,
      }).catch((thrown: unknown) => {
        throw tooLongForBudget(SluiceError.from(thrown), prompt.length, maxTokens);
      });
      return await closing(close, generateFrom(source, model, prompt, { ...request, maxTokens }));
    } finally {
      await session.close();
    }
  };
}

async function closing(close: () => Promise<void>, reply: Promise<Generation>): Promise<Generation> {
  try {
    return await reply;
  } finally {
    await close();
  }
}

/** Whoever asked can do something about it, as about a prompt over the context: ask for less. */
function tooLongForBudget(error: SluiceError, promptTokens: number, maxTokens: number): SluiceError {
  if (error.code !== 'budget-too-small') return error;
  const { message, details } = error;
  return new SluiceError(
    'bad-input',
    `The prompt has ${promptTokens} tokens and ${maxTokens} to generate: too many for the memory this server gives. ${message}`,
    { ...details, promptTokens, maxTokens, apiCode: 'context_length_exceeded' },
    { cause: error },
  );
}
