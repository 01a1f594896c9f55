import { SluiceError } from '../../../contract';
import type { StreamedWeights } from '../../../contract';
import { openLanguageModel } from '../../../llm';
import type { LanguageModel } from '../../../llm';
import { OrtEnvironment } from '../../../ort';
import type { LoadedModels } from '../../models/loaded-models';
import { Mutex } from '../../mutex';
import { KeptSource } from './kept-source';
import type { LanguageLibrary, LanguageModelEntry } from '../library/language-library';
import { LoadedDraftModels } from './loaded-draft-models';
import type { ConversationSource, SourceFactory, SourceRequest } from './conversation-source';

export interface LoadedLanguageModelParts {
  readonly library: Pick<LanguageLibrary, 'entry' | 'has'>;
  readonly budget: Pick<LoadedModels, 'hold' | 'roomBytes' | 'checkRoom'>;
  readonly threads: number;
  /** Where weights that stream are laid out, by the model's path. */
  readonly weightStore: (path: string) => string;
  readonly openSource: SourceFactory;
}

interface Loaded {
  readonly name: string;
  readonly sha256: string;
  readonly model: LanguageModel;
  /** Its memory no longer counts. */
  readonly drop: () => void;
}

/**
 * One language model in memory, and the source of the conversation that it last replied to. Both stay until another
 * model is asked for, or networks need their memory.
 */
export class LoadedLanguageModel {
  readonly sources: KeptSource;
  readonly drafts: LoadedDraftModels;
  private loaded: Loaded | undefined;
  private environment: OrtEnvironment | undefined;
  /** The model a reply is using, or loading. */
  private inUse: string | undefined;
  private readonly changing = new Mutex();

  constructor(private readonly parts: LoadedLanguageModelParts) {
    this.sources = new KeptSource(parts.openSource);
    this.drafts = new LoadedDraftModels({
      ...parts,
      environment: () => this.openEnvironment(),
      isIdle: () => this.inUse === undefined,
      unload: () => this.changing.run(() => this.sources.drop()),
    });
  }

  /** A model that can be loaded. @throws SluiceError `not-found`, `corrupt-store`, `unsupported`. */
  usable(name: string): LanguageModelEntry {
    const { library } = this.parts;
    if (!library.has(name)) {
      throw new SluiceError(
        'not-found',
        `The language model '${name}' is not in the library any more. Import it again under this name, or start a conversation with another.`,
        { name },
      );
    }
    const entry = library.entry(name);
    if (entry.state === 'broken') {
      throw new SluiceError('corrupt-store', `${name} can't be used: ${entry.stateReason ?? ''}`, { name });
    }
    if (entry.hasChatTemplate) return entry;
    throw new SluiceError(
      'unsupported',
      `${name} has no chat template, so it can't hold a conversation. Choose a model made for chat (Instruct).`,
      { name },
    );
  }

  /**
   * How a model that is not loaded yet would have to be: undefined when all of it fits the global budget.
   * @throws SluiceError as `usable`.
   */
  streamedWeights(name: string): StreamedWeights | undefined {
    const { sha256, weightBytes } = this.usable(name);
    if (this.isLoaded(name, sha256)) return undefined;
    const budgetBytes = this.parts.budget.roomBytes;
    return weightBytes > budgetBytes ? { budgetBytes, weightBytes } : undefined;
  }

  /**
   * Loads a model, or takes the one that is there; weights beyond the global budget stream from disk. One user at a time: the next asks after `release`.
   * @throws SluiceError as `usable`, `budget-too-small`, `bad-model`, `io`, `runtime`, `cancelled`.
   */
  async acquire(name: string, signal: AbortSignal): Promise<LanguageModel> {
    this.inUse = name;
    try {
      return await this.changing.run(() => this.load(name, signal));
    } catch (thrown) {
      this.inUse = undefined;
      throw thrown;
    }
  }

  /** The model may be unloaded again. */
  release(): void {
    this.inUse = undefined;
  }

  /** The source of a conversation with the model that is in use. @throws as `KeptSource.obtain`. */
  source(
    conversationId: string,
    request: Omit<SourceRequest, 'environment' | 'weights' | 'openDraftModel'>,
  ): Promise<ConversationSource> {
    return this.sources.obtain(conversationId, {
      ...request,
      weights: this.loaded?.sha256 ?? '',
      environment: this.openEnvironment(),
      openDraftModel: (name, main, signal) => this.drafts.open(name, main, signal),
    });
  }

  /** Unloads a model that is to be removed or replaced. @throws SluiceError `conflict` while a reply uses it. */
  evict(name: string): Promise<void> {
    return this.changing.run(async () => {
      if (this.inUse === name) {
        throw new SluiceError('conflict', `${name} is writing a reply. Stop it first.`, { name });
      }
      if (this.drafts.has(name)) {
        if (this.inUse !== undefined) {
          throw new SluiceError(
            'conflict',
            `${name} drafts for a reply that is being written. Stop it first.`,
            {
              name,
            },
          );
        }
        await this.sources.drop();
      }
      if (this.loaded?.name === name) await this.unload();
    });
  }

  /** Frees everything; no reply may be at work. */
  async close(): Promise<void> {
    await this.changing.run(() => this.unload());
    this.environment?.close();
    this.environment = undefined;
  }

  private async load(name: string, signal: AbortSignal): Promise<LanguageModel> {
    const { path, sha256, weightBytes } = this.usable(name);
    if (this.isLoaded(name, sha256)) return this.loaded!.model;
    await this.unload();
    const { budget, weightStore } = this.parts;
    const streamed = this.streamedWeights(name);
    const drop = await budget.hold({
      model: name,
      parameterBytes: streamed?.budgetBytes ?? weightBytes,
      activationBytes: () => this.sources.memoryBytes,
      isIdle: () => this.inUse === undefined,
      unload: () => this.changing.run(() => this.unload()),
    });
    try {
      const model = await openLanguageModel(path, this.openEnvironment(), {
        signal,
        ...(streamed && {
          weights: { budgetBytes: streamed.budgetBytes, storeFolder: weightStore(path) },
        }),
      });
      this.loaded = { name, sha256, model, drop };
      return model;
    } catch (thrown) {
      drop();
      this.tellHolders(name, thrown);
      throw thrown;
    }
  }

  /** Where not even the least of streamed weights has room, what holds the rest is worth knowing. */
  private tellHolders(model: string, thrown: unknown): void {
    const { code, details } = SluiceError.from(thrown);
    const parameterBytes = details['minimumBytes'];
    if (code !== 'budget-too-small' || typeof parameterBytes !== 'number') return;
    this.parts.budget.checkRoom([{ model, storePath: '', mode: 'resident', parameterBytes }]);
  }

  private isLoaded(name: string, sha256: string): boolean {
    return this.loaded?.name === name && this.loaded.sha256 === sha256;
  }

  private async unload(): Promise<void> {
    const { loaded } = this;
    if (!loaded) return;
    this.loaded = undefined;
    // Its caches are made for the model, so they go first.
    await this.sources.drop();
    loaded.model.close();
    loaded.drop();
  }

  private openEnvironment(): OrtEnvironment {
    return (this.environment ??= OrtEnvironment.open({ threads: this.parts.threads }));
  }
}
