import type { CacheMap, CacheMemory, LanguageSettings, RoundRecord } from '../../../contract';
import type { LanguageModel, TokenSource } from '../../../llm';
import type { OrtEnvironment } from '../../../ort';
import type { DraftModelOpener } from './draft-slot';

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
