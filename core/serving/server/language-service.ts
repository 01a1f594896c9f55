/** A language model as the server shows it. */
export interface ServedLanguageModel {
  readonly name: string;
  /** When it came into the library, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Tokens of a prompt and its reply together. */
  readonly contextLength: number;
  /** Differs where the same request may be answered with another text: other weights, program, runtime or processor. */
  readonly fingerprint: string;
  /** Whether requests are taken; a model that is ready may still have to be loaded, which its first request does. */
  readonly isReady: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
}

export interface ConversationMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** What a reply continues: a conversation in the model's own template, a text as it is, or tokens. */
export type CompletionPrompt =
  | { readonly kind: 'conversation'; readonly messages: readonly ConversationMessage[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] };

export interface CompletionRequest {
  readonly model: string;
  readonly prompt: CompletionPrompt;
  /** Absent: as many as the model's host thinks right. */
  readonly maxTokens?: number;
  /** 0: the most probable token each time. */
  readonly temperature: number;
  readonly topP: number;
  readonly minP: number;
  /** The same seed gives the same text; absent: any. */
  readonly seed?: number;
  /** The reply ends before the first of them. */
  readonly stop: readonly string[];
}

/** Text that can be shown, and the tokens it came with. */
export interface CompletionPiece {
  readonly text: string;
  readonly tokens: readonly number[];
}

export interface Completion {
  /** All pieces together. */
  readonly text: string;
  /** `end`: the model ended its reply. `stop`: at a stop string. `length`: at the most tokens. */
  readonly finishReason: 'end' | 'stop' | 'length' | 'cancelled';
  readonly promptTokens: number;
  /** With an end token or those of a stop string, which the text leaves out. */
  readonly completionTokens: number;
  readonly prefillMs: number;
  /** From the end of the prompt to the end of the reply. */
  readonly decodeMs: number;
  readonly prefillTokensPerSec: number;
  /** Of the reply; 0 where it has no more than one token. */
  readonly tokensPerSec: number;
}

export interface CompletionCall {
  /** Ends the reply at the next token: cancelled, with what there is. */
  readonly signal: AbortSignal;
  /** Text as it comes, in order; the next token waits until it returns. */
  readonly onPiece: (piece: CompletionPiece) => void | Promise<void>;
}

/** The language models behind a server. */
export interface LanguageService {
  /** Every model that may be served, ready or not. */
  list(): readonly ServedLanguageModel[];
  /**
   * Loads the model at its first call. Calls for one model come one at a time.
   * @throws SluiceError `bad-input` (details.param: the member of the request that is wrong, where one is; with
   *   details.contextLength when the prompt, or it and the tokens asked for, exceed the context), `not-found`,
   *   `unsupported` (the model takes no conversations), `cancelled` while it loads, and what the model throws.
   */
  complete(request: CompletionRequest, call: CompletionCall): Promise<Completion>;
}
