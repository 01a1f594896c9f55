import type { LanguageProgress, LanguageSettings, RoundRecord } from '../../../contract';
import type { ConversationSource, SourceFactory, SourceRequest } from './conversation-source';

interface Kept {
  readonly conversationId: string;
  readonly source: ConversationSource;
  maxTokens: number;
  /** Settings have changed that it could not take on. */
  isStale: boolean;
}

/** The source of the conversation that was last replied to, so that its next reply begins where this one ended. */
export class KeptSource {
  private kept: Kept | undefined;
  private onRound: (round: RoundRecord) => void = () => undefined;

  constructor(private readonly open: SourceFactory) {}

  /** @throws SluiceError what the factory and the source throw. */
  async obtain(conversationId: string, request: SourceRequest): Promise<ConversationSource> {
    const { settings, maxTokens, model } = request;
    this.onRound = request.onRound;
    const { kept } = this;
    const before = kept?.conversationId === conversationId ? kept.maxTokens : 0;
    // Conversations grow: twice the room, so that few replies have to make some.
    const room = Math.min(model.decoder.config.contextLength, Math.max(maxTokens, 2 * before));
    if (kept && before > 0 && !kept.isStale && kept.source.configure(settings)) {
      if (maxTokens <= kept.maxTokens) return kept.source;
      if (kept.source.grow) {
        kept.source.grow(room);
        kept.maxTokens = room;
        return kept.source;
      }
    }
    await this.drop();
    const onRound = (round: RoundRecord): void => this.onRound(round);
    const source = await this.open({ ...request, onRound, maxTokens: room });
    this.kept = { conversationId, source, maxTokens: room, isStale: false };
    return source;
  }

  /** Settings of a conversation have changed: they count from the next round, or else from the next reply. */
  configure(conversationId: string, settings: LanguageSettings): void {
    const { kept } = this;
    if (kept?.conversationId !== conversationId || kept.isStale) return;
    kept.isStale = !kept.source.configure(settings);
  }

  /** What the caches of a conversation hold; nothing when they are not in memory. */
  cacheOf(conversationId: string): Pick<LanguageProgress, 'memory' | 'map'> {
    const { kept } = this;
    if (kept?.conversationId !== conversationId) return {};
    const memory = kept.source.memory?.();
    const map = kept.source.map?.();
    return { ...(memory && { memory }), ...(map && { map }) };
  }

  /** Bytes of its caches in memory. */
  get memoryBytes(): number {
    const memory = this.kept?.source.memory?.();
    return memory ? memory.compressedBytes + memory.residentBytes + memory.streamBytes : 0;
  }

  /** Closes it. @param conversationId only if it is of this one. */
  async drop(conversationId = this.kept?.conversationId): Promise<void> {
    const { kept } = this;
    if (!kept || kept.conversationId !== conversationId) return;
    this.kept = undefined;
    await kept.source.close();
  }
}
