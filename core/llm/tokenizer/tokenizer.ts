import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { SluiceError } from '../../contract';
import { withAllDigits } from './pre-tokenizers';
import { TextStream } from './text-stream';
import { tokenBytes, type TokenSpelling } from './token-bytes';
import type { TokenizerJson } from './tokenizer-json';
import type { TokenizerSource } from './tokenizer-source';

export interface EncodeOptions {
  /** Put in front what the model expects at the start of a text. A rendered chat template has it already. */
  readonly addBos: boolean;
}

/** Text to tokens and back. Special tokens written out in a text (`<|im_end|>`) become those tokens. */
export class Tokenizer {
  /** Tokens that end a reply. */
  readonly endTokens: ReadonlySet<number>;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly chatTemplate: string | undefined;
  private readonly library: HuggingFaceTokenizer;
  /** By number, as the model's file spells them. */
  readonly tokens: readonly (string | undefined)[];
  /** Added tokens stand for their own text. */
  private readonly added: ReadonlyMap<number, { readonly special: boolean }>;
  private readonly spelling: TokenSpelling;

  /** @throws SluiceError `bad-model` when the parts contradict each other, `unsupported` for decoders of other kinds. */
  constructor(private readonly source: TokenizerSource) {
    const { json, file } = source;
    this.spelling = spellingOf(file, json);
    this.library = makeLibrary(file, json);
    const tokens: string[] = [];
    for (const [text, id] of this.library.get_vocab()) tokens[id] = text;
    this.tokens = tokens;
    this.added = new Map(json.added_tokens.map(({ id, special }) => [id, { special: special ?? false }]));
    this.endTokens = new Set(source.endTokens.map((token) => this.requireToken(token)));
    this.bosToken = source.bosToken;
    this.eosToken = source.eosToken;
    this.chatTemplate = source.chatTemplate;
  }

  /** One more than the highest token. */
  get size(): number {
    return this.tokens.length;
  }

  encode(text: string, options: EncodeOptions): number[] {
    return this.library.encode(text, { add_special_tokens: options.addBos }).ids;
  }

  /** The whole text of tokens, special ones left out. Bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: readonly number[]): string {
    const stream = this.stream();
    return tokens.map((token) => (this.isSpecial(token) ? '' : stream.push(token))).join('') + stream.end();
  }

  /** A stream of text that gives out whole letters only. */
  stream(): TextStream {
    return new TextStream((token) => this.bytesOf(token));
  }

  /** What a token adds to a text; nothing for numbers that no token has. */
  bytesOf(token: number): Uint8Array {
    return tokenBytes(this.tokens[token] ?? '', this.spelling, this.added.has(token));
  }

  /** Whether a token is a mark rather than text: begin, end, turn, unknown. */
  isSpecial(token: number): boolean {
    return this.added.get(token)?.special ?? false;
  }

  private requireToken(text: string): number {
    const id = this.library.token_to_id(text);
    if (id !== undefined) return id;
    throw new SluiceError(
      'bad-model',
      `${this.source.file}: there is no token '${text}', named as an end of text.`,
    );
  }
}

function makeLibrary(file: string, json: TokenizerJson): HuggingFaceTokenizer {
  try {
    // The library wants every part named, absent ones as null.
    const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    return new HuggingFaceTokenizer(
      { ...parts, ...json, pre_tokenizer: withAllDigits(json.pre_tokenizer) },
      {},
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'unsupported',
      `${file}: its tokenizer can't be used: ${reason}`,
      { file },
      { cause },
    );
  }
}

/** @throws SluiceError `unsupported` for decoders other than those of byte-level and SentencePiece BPE. */
function spellingOf(file: string, { decoder }: TokenizerJson): TokenSpelling {
  const parts = (decoder?.type === 'Sequence' ? decoder['decoders'] : [decoder]) as readonly ({
    type?: unknown;
  } | null)[];
  const types = parts.map((part) => part?.type);
  if (types.includes('ByteLevel')) return 'byte-level';
  if (types.includes('ByteFallback') || types.includes('Metaspace')) return 'sentencepiece';
  throw new SluiceError(
    'unsupported',
    `${file}: expected a decoder of type ByteLevel, ByteFallback or Metaspace, found ${types.map(String).join(', ')}.`,
    { file },
  );
}
