import type { CacheMap, CacheMemory, LanguageSettings } from '../../../contract';
import type { DecodedToken, LanguageModel, PrefillOptions } from '../../../llm';
import { DraftSlot } from './draft-slot';
import type { ConversationSource, SourceRequest } from './conversation-source';
import { withStreamedWeights } from './streamed-weights';
import {
  compressionOf,
  openVericache,
  proposersOf,
  samplingOf,
  type OpenVericache,
} from '../vericache-cache';

/** A conversation over a compressed cache, with the full one in its folder. */
export class VericacheConversation implements ConversationSource {
  private constructor(
    private readonly opened: OpenVericache,
    private readonly draft: DraftSlot,
    private readonly model: LanguageModel,
    private settings: LanguageSettings,
  ) {}

  /** @throws SluiceError as `openVericache`. */
  static async open(request: SourceRequest): Promise<VericacheConversation> {
    const { model, openDraftModel, settings, conversationFolder: folder } = request;
    const draft = new DraftSlot(model, openDraftModel);
    draft.want(settings.draftModel);
    const draftModel = draft.proposerOf(settings.draftModel);
    const opened = await openVericache({ ...request, folder, ...(draftModel && { draftModel }) });
    return new VericacheConversation(opened, draft, model, settings);
  }

  prefill(prompt: readonly number[], options?: PrefillOptions): Promise<number> {
    return this.opened.source.prefill(prompt, options);
  }

  next(limit: number, signal?: AbortSignal): Promise<readonly DecodedToken[]> {
    return this.opened.source.next(limit, signal);
  }

  configure(settings: LanguageSettings): boolean {
    if (settings.mode === 'full') return false;
    const { source } = this.opened;
    const isSameCache = (['compressor', 'ratio', 'mode', 'budgetBytes'] as const).every(
      (name) => settings[name] === this.settings[name],
    );
    source.configure({
      draftLength: settings.draftLength,
      proposers: proposersOf(settings, this.draft.proposerOf(settings.draftModel)),
      sampling: samplingOf(settings),
      ...(!isSameCache && { compression: compressionOf(settings), budgetBytes: settings.budgetBytes }),
    });
    this.draft.want(settings.draftModel);
    this.settings = settings;
    return true;
  }

  grow(maxTokens: number): void {
    this.opened.source.configure({ maxTokens });
  }

  memory(): CacheMemory {
    return withStreamedWeights(this.opened.source.memory(), this.model);
  }

  map(): CacheMap {
    return this.opened.source.map();
  }

  async close(): Promise<void> {
    try {
      await this.opened.close();
    } finally {
      this.draft.close();
    }
  }
}
