import { badGguf } from '../gguf/gguf-cursor';
import type { GgufFile } from '../gguf/read-gguf';
import { preTokenizerNamed, type PreTokenizer } from './pre-tokenizers';
import { mergesFromScores, SPACE_MARK } from './sentencepiece-merges';
import type { TokenizerJson } from './tokenizer-json';
import type { TokenizerSource } from './tokenizer-source';
import { TURN_ENDS } from './turn-ends';
import { SluiceError } from '../../contract';

/** `llama_token_type`. */
const TOKEN_UNKNOWN = 2;
const TOKEN_CONTROL = 3;
const TOKEN_USER_DEFINED = 4;
const TOKEN_UNUSED = 5;
const TOKEN_BYTE = 6;
const ADDED_TYPES: ReadonlySet<number> = new Set([TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_USER_DEFINED]);

interface Vocabulary {
  readonly file: string;
  readonly tokens: readonly string[];
  readonly types: ArrayLike<number>;
}

/**
 * The tokenizer in a GGUF file as a tokenizer.json, so that one library serves both.
 * @throws SluiceError `unsupported` (tokenizer or pre-tokenizer, with those that work), `bad-model` (missing or
 * contradictory metadata).
 */
export function tokenizerFromGguf(gguf: GgufFile): TokenizerSource {
  const { metadata, path: file } = gguf;
  const kind = metadata.optionalText('tokenizer.ggml.model');
  if (kind !== 'gpt2' && kind !== 'llama') {
    throw new SluiceError(
      'unsupported',
      kind === undefined
        ? `${file} has no tokenizer ('tokenizer.ggml.model'). Convert the model again with its tokenizer.`
        : `${file}: the tokenizer '${kind}' can't be used; gpt2 (BPE) and llama (SentencePiece BPE) can.`,
      { file },
    );
  }
  const vocabulary = readVocabulary(gguf);
  const tokenAt = (key: string): string | undefined => specialToken(gguf, vocabulary, key);
  const bosToken = tokenAt('bos_token_id');
  const eosToken = tokenAt('eos_token_id');
  const endTokens = [eosToken, tokenAt('eot_token_id'), tokenAt('eom_token_id'), ...turnEnds(vocabulary)];
  const chatTemplate = metadata.optionalText('tokenizer.chat_template');
  return {
    file,
    json:
      kind === 'gpt2'
        ? byteLevelJson(gguf, vocabulary, bosToken)
        : sentencePieceJson(gguf, vocabulary, bosToken),
    ...(bosToken === undefined ? {} : { bosToken }),
    ...(eosToken === undefined ? {} : { eosToken }),
    endTokens: [...new Set(endTokens.filter((token) => token !== undefined))],
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  };
}

function readVocabulary({ metadata, path: file }: GgufFile): Vocabulary {
  const tokens = metadata.texts('tokenizer.ggml.tokens');
  if (tokens.length === 0)
    throw badGguf(file, "metadata 'tokenizer.ggml.tokens': expected tokens, found none");
  const types =
    metadata.optionalNumbers('tokenizer.ggml.token_type') ?? new Int32Array(tokens.length).fill(1);
  if (types.length !== tokens.length) {
    throw badGguf(
      file,
      `metadata 'tokenizer.ggml.token_type': expected ${tokens.length} entries, one a token, found ${types.length}`,
    );
  }
  return { file, tokens, types };
}

function specialToken({ metadata }: GgufFile, { file, tokens }: Vocabulary, key: string): string | undefined {
  const id = metadata.optionalCount(`tokenizer.ggml.${key}`);
  if (id === undefined) return undefined;
  const token = tokens[id];
  if (token !== undefined) return token;
  throw badGguf(
    file,
    `metadata 'tokenizer.ggml.${key}': expected a token of 0 to ${tokens.length - 1}, found ${id}`,
  );
}

function turnEnds({ tokens, types }: Vocabulary): string[] {
  return tokens.filter((token, id) => ADDED_TYPES.has(types[id]!) && TURN_ENDS.has(token));
}

function byteLevelJson(gguf: GgufFile, vocabulary: Vocabulary, bosToken: string | undefined): TokenizerJson {
  const { metadata, path: file } = gguf;
  const family = preTokenizerNamed(file, metadata.optionalText('tokenizer.ggml.pre'));
  const merges = metadata.texts('tokenizer.ggml.merges').map((merge) => cutMerge(file, merge));
  return {
    ...commonJson(vocabulary),
    normalizer: null,
    pre_tokenizer: family.preTokenizer as { type: string },
    post_processor: bosProcessor(gguf, bosToken, family),
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      vocab: vocabularyJson(vocabulary),
      merges,
      ignore_merges: family.ignoreMerges ?? false,
    },
  };
}

/** A byte-level piece holds no space, so that the first space after the first letter divides. */
function cutMerge(file: string, merge: string): [string, string] {
  const cut = merge.indexOf(' ', 1);
  if (cut > 0 && cut < merge.length - 1) return [merge.slice(0, cut), merge.slice(cut + 1)];
  throw badGguf(
    file,
    `metadata 'tokenizer.ggml.merges': expected two pieces with a space between, found '${merge}'`,
  );
}

function sentencePieceJson(
  gguf: GgufFile,
  vocabulary: Vocabulary,
  bosToken: string | undefined,
): TokenizerJson {
  const { metadata, path: file } = gguf;
  const { tokens, types } = vocabulary;
  const scores = metadata.optionalNumbers('tokenizer.ggml.scores');
  if (scores?.length !== tokens.length) {
    throw badGguf(
      file,
      `metadata 'tokenizer.ggml.scores': expected ${tokens.length} numbers, one a token, found ${scores?.length ?? 'none'}`,
    );
  }
  const toMark = { type: 'Replace', pattern: { String: ' ' }, content: SPACE_MARK };
  const prefixed = metadata.optionalFlag('tokenizer.ggml.add_space_prefix') ?? true;
  const prepend = prefixed ? [{ type: 'Prepend', prepend: SPACE_MARK }] : [];
  const skipped = new Set([...ADDED_TYPES, TOKEN_UNUSED, TOKEN_BYTE]);
  const unknown = Array.from(types).indexOf(TOKEN_UNKNOWN);
  return {
    ...commonJson(vocabulary),
    normalizer: { type: 'Sequence', normalizers: [...prepend, toMark] },
    pre_tokenizer: null,
    post_processor: bosProcessor(gguf, bosToken, { addsBos: true }),
    decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
    model: {
      type: 'BPE',
      vocab: vocabularyJson(vocabulary),
      merges: mergesFromScores(tokens, scores, (id) => skipped.has(types[id]!)),
      byte_fallback: true,
      fuse_unk: true,
      unk_token: unknown < 0 ? null : tokens[unknown],
    },
  };
}

function commonJson({ tokens, types }: Vocabulary): Pick<TokenizerJson, 'added_tokens'> {
  return {
    added_tokens: tokens.flatMap((content, id) =>
      ADDED_TYPES.has(types[id]!) && content !== ''
        ? [{ id, content, special: types[id] !== TOKEN_USER_DEFINED, normalized: false }]
        : [],
    ),
  };
}

/** Of tokens with the same text the first counts, as in llama.cpp. */
function vocabularyJson({ tokens }: Vocabulary): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id] as const).reverse());
}

function bosProcessor(
  { metadata, path: file }: GgufFile,
  bosToken: string | undefined,
  family: Pick<PreTokenizer, 'addsBos'>,
): TokenizerJson['post_processor'] {
  const adds = metadata.optionalFlag('tokenizer.ggml.add_bos_token') ?? family.addsBos ?? false;
  if (!adds) return null;
  if (bosToken === undefined) {
    throw badGguf(file, "texts must begin with the token 'tokenizer.ggml.bos_token_id', which is not there");
  }
  const single = [{ SpecialToken: { id: bosToken, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return { type: 'TemplateProcessing', single, pair: single, special_tokens: {} };
}
