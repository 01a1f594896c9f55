import type { WireError } from './errors';
import type { VerifyReport } from './models';

/** A language model of the library. */
export interface LanguageModelSummary {
  readonly name: string;
  readonly state: 'ready' | 'broken';
  readonly stateReason?: string;
  readonly architecture: string;
  /** The type most of its weight bytes have: `Q4_1`, `F16`, ... */
  readonly quantisation: string;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly layers: number;
  /** Tokens. */
  readonly contextLength: number;
  /** Keys and values of one token in the full cache. */
  readonly cacheBytesPerToken: number;
  readonly hasChatTemplate: boolean;
  readonly importedAt: string;
  readonly sourceFile: string;
  /** Of its file, or of the list of its files; absent where nothing is known of it. */
  readonly sha256?: string;
}

/** A way to compress the cache, as the engine has it registered. */
export interface CompressorSummary {
  readonly name: string;
  readonly title: string;
  /** Where its formula stands. */
  readonly source: string;
  readonly kind: 'drop' | 'quantise';
  /** The ratio it has by itself; absent where any can be asked for. */
  readonly fixedRatio?: number;
}

/** `full`: every step attends to the full cache in memory. `lossy`: to the compressed one, unverified. */
export type CacheMode = 'full' | 'vericache' | 'lossy';

/** What can be set in the middle of a conversation; a change acts from the next round on. */
export interface LanguageSettings {
  readonly mode: CacheMode;
  /** By name. */
  readonly compressor: string;
  /** Bytes of the full cache over those of the compressed one, 1.5 to 64. */
  readonly ratio: number;
  /** Memory the caches may take, compressed and streamed together; 0: as little as works well. */
  readonly budgetBytes: number;
  /** Tokens drafted a round, 1 to 63; `auto` follows acceptance, draft cost and swap time. */
  readonly draftLength: number | 'auto';
  /** Repetitions of earlier text are proposed before the compressed cache filters them. */
  readonly promptLookup: boolean;
  /** Of the library; a small model of the same vocabulary that proposes tokens. '': none. */
  readonly draftModel: string;
  readonly maxTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
}

export const DEFAULT_LANGUAGE_SETTINGS: LanguageSettings = {
  mode: 'vericache',
  compressor: 'snapkv',
  ratio: 4,
  budgetBytes: 0,
  draftLength: 'auto',
  promptLookup: true,
  draftModel: '',
  maxTokens: 512,
  temperature: 0,
  topP: 1,
  minP: 0,
  seed: 0,
};

/**
 * Where a token comes from. `prompt`: fed in. `full`, `lossy`: decoded without verification. `accepted`: drafted, and
 * the full cache agreed. `corrected`: the full cache's own where it disagreed. `bonus`: its own behind a draft that was
 * accepted whole.
 */
export const TOKEN_ORIGINS = ['prompt', 'full', 'lossy', 'accepted', 'corrected', 'bonus'] as const;
export type TokenOrigin = (typeof TOKEN_ORIGINS)[number];

/** Text with one origin; runs of tokens with the same origin may come as one piece. */
export interface TextPiece {
  readonly text: string;
  /** 0 for what was written by the user: it is counted with the whole prompt. */
  readonly tokens: number;
  readonly origin: TokenOrigin;
}

/** One draft and its verification. Times are milliseconds; `startMs` counts from the start of the reply. */
export interface RoundRecord {
  readonly index: number;
  readonly startMs: number;
  readonly draftMs: number;
  /** Time the verification waited for the full cache to come from disk or network. */
  readonly swapMs: number;
  /** The verification's own computing. */
  readonly verifyMs: number;
  /** Tokens drafted, those of them a proposer gave, and those accepted. */
  readonly drafted: number;
  readonly proposed: number;
  readonly accepted: number;
  /** Bytes of the full cache read. */
  readonly readBytes: number;
}

/** Memory of the caches, bytes. Their sum never passes `budgetBytes`; mode `full` has no budget but what it takes. */
export interface CacheMemory {
  readonly budgetBytes: number;
  readonly compressedBytes: number;
  /** Full layers held. */
  readonly residentBytes: number;
  /** Slots that full layers stream through, and the newest tokens of the full cache. */
  readonly streamBytes: number;
  /** The full cache on disk or on another node. */
  readonly storedBytes: number;
  /**
   * Of a draft model, its weights as its file has them and its own cache. The budget is for the caches of the model that
   * replies: this comes on top of it. Absent without one.
   */
  readonly draftModelBytes?: number;
  /** Of a model whose weights don't fit the engine's global budget; its caches come on top. */
  readonly streamedWeights?: StreamedWeights;
}

/** Weights that are read from disk for every pass, but for those that fit memory, bytes. */
export interface StreamedWeights {
  /** What memory may take of them. */
  readonly budgetBytes: number;
  /** Of all weights, as the model's file has them. */
  readonly weightBytes: number;
  /** Read in every pass; absent until the model is loaded. */
  readonly readBytesPerPass?: number;
}

/** What is where, by layer: tokens. */
export interface CacheMap {
  /** Of the text so far. */
  readonly tokens: number;
  /** Tokens the compressed cache holds something of, by layer. */
  readonly kept: readonly number[];
  /** Tokens of the full cache in memory, by layer; the others are on disk. */
  readonly inMemory: readonly number[];
  readonly onDisk: readonly number[];
}

export interface ReplyStats {
  readonly promptTokens: number;
  /** Of them, those that were in the cache already. */
  readonly reusedTokens: number;
  readonly generatedTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly tokensPerSec: number;
  /** Accepted over drafted so far, 0 to 1; 0 without drafts. */
  readonly acceptance: number;
  /** The length drafts have at present; 0 without drafts. */
  readonly draftLength: number;
  readonly rounds: number;
}

export interface Message {
  readonly id: string;
  readonly role: 'system' | 'user' | 'assistant';
  readonly pieces: readonly TextPiece[];
  /** Of a reply. `cancelled` and `failed` keep the text there was. */
  readonly state: 'running' | 'done' | 'cancelled' | 'failed';
  readonly error?: WireError;
  readonly finishReason?: 'end' | 'stop' | 'length' | 'cancelled';
  readonly stats?: ReplyStats;
  readonly rounds?: readonly RoundRecord[];
  /** ISO time. */
  readonly at: string;
}

export interface ConversationSummary {
  readonly id: string;
  /** The first words of the first question, or what the user called it. */
  readonly title: string;
  readonly model: string;
  /** In the cache. */
  readonly tokens: number;
  /** On disk. */
  readonly bytes: number;
  readonly updatedAt: string;
  /** Its file can't be used, and why: it can only be deleted. Absent: all is well. */
  readonly brokenReason?: string;
}

export interface Conversation extends ConversationSummary {
  readonly settings: LanguageSettings;
  readonly messages: readonly Message[];
  readonly memory?: CacheMemory;
  readonly map?: CacheMap;
}

/** What a reply is doing. */
export type ReplyPhase =
  | { readonly kind: 'loading'; readonly streamedWeights?: StreamedWeights }
  | { readonly kind: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly kind: 'generating' };

/** A reply goes on, at most 20 a second and in order; nothing is left out. */
export interface LanguageProgress {
  readonly conversationId: string;
  readonly messageId: string;
  readonly phase: ReplyPhase;
  /** Since the last event. */
  readonly pieces: readonly TextPiece[];
  readonly rounds: readonly RoundRecord[];
  readonly stats: ReplyStats;
  readonly memory?: CacheMemory;
  readonly map?: CacheMap;
}

export interface LanguageRequests {
  'language.models': { input: Record<string, never>; output: readonly LanguageModelSummary[] };
  'language.compressors': { input: Record<string, never>; output: readonly CompressorSummary[] };
  /** A GGUF file or a Hugging Face style folder on the engine's machine. Progress comes as `job` events. */
  'language.import': {
    input: { readonly jobId: string; readonly path: string; readonly name?: string };
    output: LanguageModelSummary;
  };
  /** From a Hugging Face style hub; a partial download is resumed. */
  'language.pull': {
    input: {
      readonly jobId: string;
      readonly repository: string;
      readonly revision?: string;
      readonly file?: string;
      readonly name?: string;
    };
    output: LanguageModelSummary;
  };
  'language.verify': { input: { readonly jobId: string; readonly name: string }; output: VerifyReport };
  'language.remove': { input: { readonly name: string }; output: Record<string, never> };

  'language.conversations': { input: Record<string, never>; output: readonly ConversationSummary[] };
  'language.create': {
    input: { readonly model: string; readonly settings?: LanguageSettings; readonly system?: string };
    output: Conversation;
  };
  'language.open': { input: { readonly id: string }; output: Conversation };
  'language.rename': { input: { readonly id: string; readonly title: string }; output: ConversationSummary };
  'language.delete': { input: { readonly id: string }; output: Record<string, never> };
  'language.configure': {
    input: { readonly id: string; readonly settings: LanguageSettings };
    output: Conversation;
  };
  /** Returns at once; `languageProgress` events follow, then `message` with the whole reply. One reply at a time. */
  'language.send': {
    input: { readonly id: string; readonly text: string };
    output: { readonly question: Message; readonly reply: Message };
  };
  /**
   * Goes on with the last reply where it failed or was cancelled (the same message, with its text so far), or asks for it
   * again (another message in its place).
   */
  'language.retry': { input: { readonly id: string }; output: { readonly reply: Message } };
  'language.stop': { input: { readonly id: string }; output: Record<string, never> };
}

export interface LanguageEvents {
  languageModels: readonly LanguageModelSummary[];
  conversations: readonly ConversationSummary[];
  languageProgress: LanguageProgress;
  /** A message came to its end. */
  message: { readonly conversationId: string; readonly message: Message };
}
