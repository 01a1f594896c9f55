import { SluiceError } from '../../contract';

/** How text is cut before pieces are merged, as an entry of a tokenizer.json. */
export interface PreTokenizer {
  readonly preTokenizer: object;
  /** Words that are tokens stay whole, whatever the merges say. */
  readonly ignoreMerges?: boolean;
  /** Whether a text begins with the begin-of-text token unless the file says otherwise. */
  readonly addsBos?: boolean;
}

/** The pattern of GPT-2, which `ByteLevel` applies itself. */
const byteLevel = (useRegex: boolean): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const sequence = (...pretokenizers: readonly object[]): object => ({ type: 'Sequence', pretokenizers });
const splitBy = (pattern: string): object => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const split = (pattern: string): object => sequence(splitBy(pattern), byteLevel(false));

/** Of every script, as `Digits` of Hugging Face's tokenizers has it; the library's own knows 0 to 9 only. */
const EACH_DIGIT = '\\p{N}';
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SYMBOLS_AND_SPACE = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const words = (digits: string): string =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}${SYMBOLS_AND_SPACE}`;
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
/** Mistral's Tekken. */
const TEKKEN =
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*|\\p{N}` +
  '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** The names that llama.cpp's `tokenizer.ggml.pre` gives them (src/llama-vocab.cpp), with the model's own patterns. */
const FAMILIES: readonly (readonly [names: readonly string[], PreTokenizer])[] = [
  [['gpt-2'], { preTokenizer: byteLevel(true) }],
  [['smollm', 'starcoder'], { preTokenizer: sequence(splitBy(EACH_DIGIT), byteLevel(true)) }],
  [
    ['llama-bpe', 'llama3', 'llama-v3'],
    { preTokenizer: split(words('\\p{N}{1,3}')), ignoreMerges: true, addsBos: true },
  ],
  [['qwen2', 'deepseek-r1-qwen'], { preTokenizer: split(words('\\p{N}')) }],
  [['tekken'], { preTokenizer: split(TEKKEN), ignoreMerges: true, addsBos: true }],
];
const BY_NAME = new Map(FAMILIES.flatMap(([names, family]) => names.map((name) => [name, family])));

/** A tokenizer.json's pre-tokenizer with its `Digits` spelled out, see `EACH_DIGIT`. */
export function withAllDigits(preTokenizer: unknown): unknown {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return preTokenizer;
  const part = preTokenizer as { type?: unknown; individual_digits?: unknown; pretokenizers?: unknown };
  if (part.type === 'Digits') return splitBy(part.individual_digits === true ? EACH_DIGIT : `${EACH_DIGIT}+`);
  if (!Array.isArray(part.pretokenizers)) return part;
  return { ...part, pretokenizers: part.pretokenizers.map(withAllDigits) };
}

/** @throws SluiceError `unsupported` naming the pre-tokenizer and those that work. */
export function preTokenizerNamed(file: string, name: string | undefined): PreTokenizer {
  const found = name === undefined ? undefined : BY_NAME.get(name);
  if (found) return found;
  throw new SluiceError(
    'unsupported',
    `${file}: expected a known pre-tokenizer in 'tokenizer.ggml.pre', found ${name === undefined ? 'none' : `'${name}'`}. ` +
      `${[...BY_NAME.keys()].join(', ')} work. Import the model's folder with its tokenizer.json instead.`,
    { file, preTokenizer: name ?? '' },
  );
}
