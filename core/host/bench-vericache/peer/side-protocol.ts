/** What the bench and the two processes it compares say to each other. */

export type PeerPrecision = 'packed' | 'float32';
export type PeerSide = 'sluice' | 'transformers.js';

/** What a side opens; each knows its own form of the same model. */
export interface SideModel {
  /** GGUF file. */
  readonly ggufPath: string;
  /** The folder exported from it. */
  readonly exportFolder: string;
  /** Where `@huggingface/transformers` is installed. */
  readonly packageFolder: string;
  readonly precision: PeerPrecision;
  readonly threads: number;
}

export type SideCommand =
  | { readonly kind: 'open'; readonly model: SideModel }
  /** Computes the prompt, which every `decode` continues. */
  | { readonly kind: 'prefill'; readonly prompt: readonly number[]; readonly newTokens: number }
  /** Greedy. The first token, which the prompt gives, is not timed. */
  | { readonly kind: 'decode'; readonly newTokens: number }
  | { readonly kind: 'end' };

export interface Opened {
  readonly loadMs: number;
}

export interface Prefilled {
  readonly prefillMs: number;
}

export interface Decoded {
  /** The timed tokens. */
  readonly tokens: readonly number[];
  /** Of all of them. */
  readonly decodeMs: number;
  /** Of the process, now. */
  readonly rssBytes: number;
}
