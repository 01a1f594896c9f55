import type { TokenizerJson } from './tokenizer-json';

/** What a tokenizer is made of besides its tokenizer.json. */
export interface TokenizerSource {
  /** For messages. */
  readonly file: string;
  readonly json: TokenizerJson;
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** Further tokens that end a reply. */
  readonly endTokens: readonly string[];
  readonly chatTemplate?: string;
}
