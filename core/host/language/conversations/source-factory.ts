import type {
  CacheMap,
  CacheMemory,
  CompressorSummary,
  LanguageSettings,
  RoundRecord,
} from '../../../contract';
import type { LanguageModel, TokenSource } from '../../../llm';
import type { OrtEnvironment } from '../../../ort';
import { allCompressors } from '../../../vericache';
import type { DraftModelOpener } from './draft-slot';
import { FullSource } from './full-source';
import { VericacheConversation } from './vericache-conversation';

/** Where the tokens of a conversation come from, kept between its replies. */
export interface ConversationSource extends TokenSource {
  /**
   * Takes settings on from the next token or round.
   * @returns whether it can: else it is opened anew for the next reply.
   */
  configure(settings: LanguageSettings): boolean;
  /** Makes room for a longer text and keeps what it holds. Absent: it is opened anew. @throws SluiceError `budget-too-small`. */
  grow?(maxTokens: number): void;
  memory?(): CacheMemory;
  map?(): CacheMap;
  close(): Promise<void>;
}

export interface SourceRequest {
  readonly model: LanguageModel;
  /** SHA-256 of its file. */
  readonly weights: string;
  readonly environment: OrtEnvironment;
  readonly settings: LanguageSettings;
  /** The conversation's, for caches on disk. */
  readonly conversationFolder: string;
  /** The longest text there can be, prompt and reply. */
  readonly maxTokens: number;
  /** Called at the end of each round. */
  readonly onRound: (round: RoundRecord) => void;
  readonly nowMs: () => number;
  readonly openDraftModel: DraftModelOpener;
}

/** @throws SluiceError `unsupported`, `budget-too-small`, what a source throws when it is opened. */
export type SourceFactory = (request: SourceRequest) => Promise<ConversationSource>;

/** Ways to compress the cache, as the console lists them. */
export function compressorSummaries(): readonly CompressorSummary[] {
  return allCompressors().map(({ name, title, source, kind, fixedRatio }) => ({
    name,
    title,
    source,
    kind,
    ...(fixedRatio !== undefined && { fixedRatio }),
  }));
}

export const openSource: SourceFactory = async (request) => {
  const { model, settings, maxTokens } = request;
  if (settings.mode === 'full') return new FullSource(model, settings, maxTokens);
  return VericacheConversation.open(request);
};
