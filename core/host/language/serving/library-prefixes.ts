import { join } from 'node:path';

import { engineClockMs } from '../../../base';
import { SluiceError } from '../../../contract';
import type { KvPrefillRequest, KvPrefix, KvPrefixes } from '../../../serving';
import { CacheReaderPool, identityDifferences, PrefixStore } from '../../../vericache';
import type { PrefixLimits } from '../../../vericache';
import type { LibraryLanguages } from './language-service';
import { cacheIdentityOf } from '../vericache-cache';

/** Below the data folder. */
const PREFIX_FOLDER = 'kv-prefixes';

/** Full caches of texts that other nodes continue, computed by the models that are served here. */
export class LibraryPrefixes implements KvPrefixes {
  private constructor(
    private readonly languages: Pick<LibraryLanguages, 'load'>,
    private readonly store: PrefixStore,
    private readonly pool: CacheReaderPool,
  ) {}

  /** @throws SluiceError `io`. */
  static async open(
    dataDir: string,
    languages: Pick<LibraryLanguages, 'load'>,
    limits: Partial<PrefixLimits> = {},
  ): Promise<LibraryPrefixes> {
    const pool = CacheReaderPool.start();
    const folder = join(dataDir, PREFIX_FOLDER);
    const store = await PrefixStore.open({ folder, pool, clock: { nowMs: engineClockMs }, limits });
    return new LibraryPrefixes(languages, store, pool);
  }

  find(hashes: readonly string[]): KvPrefix | undefined {
    return this.store.find(hashes);
  }

  async prefill(request: KvPrefillRequest, signal: AbortSignal): Promise<KvPrefix> {
    const { model, environment, sha256 } = await this.languages.load(request.model, signal);
    const identity = cacheIdentityOf(model, sha256, environment);
    const differences = identityDifferences(identity, request.identity);
    if (differences.length > 0) {
      throw new SluiceError(
        'conflict',
        `${request.model} has ${differences.join(', ')} here: its values would not be those that you compute. ` +
          'Use a node with the same model file, program and kind of processor, or none.',
        { differences },
      );
    }
    const { tokens } = request;
    const { contextLength, vocabularySize } = model.decoder.config;
    const unknown = tokens.find((token) => token >= vocabularySize);
    if (unknown !== undefined || tokens.length > contextLength) {
      const found = unknown === undefined ? `${tokens.length} of them` : String(unknown);
      throw new SluiceError(
        'bad-input',
        `tokens: expected at most ${contextLength}, from 0 to ${vocabularySize - 1}; found ${found}.`,
      );
    }
    return this.store.prefill({ decoder: model.decoder, environment, identity, tokens, signal });
  }

  layer(id: string, layer: number, blocks: number): Promise<Buffer> {
    return this.store.layer(id, layer, blocks);
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.pool.close();
  }
}
