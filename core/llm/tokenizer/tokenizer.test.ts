import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readGguf, type GgufFile } from '../gguf/read-gguf';
import { ggufBytes, type TestGguf } from '../test-support/gguf-writer';
import { smolLm2, SMOLLM2_SET_UP_MS } from '../test-support/smollm2';
import { tokenizerFromGguf } from './gguf-tokenizer';
import { Tokenizer } from './tokenizer';
import { ChatTemplate } from './chat-template';
import { parseTokenizerJson } from './tokenizer-json';

interface Reference {
  readonly texts: readonly string[];
}
const REFERENCE = path.resolve(import.meta.dirname, '../test-support/llama-cpp-tokens.json');
const { byteLevel, sentencePiece } = JSON.parse(readFileSync(REFERENCE, 'utf8')) as {
  readonly byteLevel: Reference & { readonly tokens: Readonly<Record<string, readonly number[][]>> };
  readonly sentencePiece: Reference & {
    readonly tokens: readonly number[][];
    readonly vocabulary: { readonly tokens: string[]; readonly scores: number[]; readonly types: number[] };
  };
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-tokenizer-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function read(metadata: TestGguf['metadata']): Promise<GgufFile> {
  const file = path.join(folder, `${files++}.gguf`);
  writeFileSync(file, ggufBytes({ metadata: metadata! }));
  return readGguf(file);
}

type Entry = NonNullable<TestGguf['metadata']>[number];
const { tokens, scores, types } = sentencePiece.vocabulary;
const sentencePieceEntries: readonly Entry[] = [
  ['tokenizer.ggml.model', 'string', 'llama'],
  ['tokenizer.ggml.tokens', 'array', tokens],
  ['tokenizer.ggml.scores', 'array', scores, 'float32'],
  ['tokenizer.ggml.token_type', 'array', types, 'int32'],
  ['tokenizer.ggml.bos_token_id', 'uint32', 1],
  ['tokenizer.ggml.eos_token_id', 'uint32', 2],
];
/** With an entry replaced, or left out. */
const changed = (key: string, entry?: Entry): readonly Entry[] => [
  ...sentencePieceEntries.filter(([name]) => name !== `tokenizer.ggml.${key}`),
  ...(entry ? [entry] : []),
];

describe('a SentencePiece vocabulary', () => {
  it('gives the tokens of llama.cpp and the text back', async () => {
    const tokenizer = new Tokenizer(tokenizerFromGguf(await read(sentencePieceEntries)));
    for (const [index, text] of sentencePiece.texts.entries()) {
      const found = tokenizer.encode(text, { addBos: false });
      expect([text, found]).toEqual([text, sentencePiece.tokens[index]]);
      expect(tokenizer.encode(text, { addBos: true })).toEqual([1, ...found]);
      // A space comes before every piece of plain text.
      const plain = `${text.startsWith('<|user|>') ? '' : ' '}${text.replace(/<\|user\|>(?=.)/, '<|user|> ')}`;
      expect(tokenizer.decode(found)).toBe(plain);
    }
    expect([...tokenizer.endTokens]).toEqual([2]);
    expect(tokenizer.isSpecial(1)).toBe(true);
    expect(tokenizer.isSpecial(tokens.indexOf('<|user|>'))).toBe(false);
  });
});

describe('the vocabulary of SmolLM2', () => {
  it(
    'gives the tokens of llama.cpp under every pre-tokenizer',
    { timeout: SMOLLM2_SET_UP_MS },
    async (test) => {
      const gguf = await readGguf(await smolLm2(test));
      for (const [name, expected] of Object.entries(byteLevel.tokens)) {
        const metadata = Object.create(gguf.metadata, {
          optionalText: {
            value: (key: string) => (key === 'tokenizer.ggml.pre' ? name : gguf.metadata.optionalText(key)),
          },
        }) as GgufFile['metadata'];
        const tokenizer = new Tokenizer(tokenizerFromGguf({ ...gguf, metadata }));
        const found = byteLevel.texts.map((text) => tokenizer.encode(text, { addBos: false }));
        expect([name, found]).toEqual([name, expected]);
      }
    },
  );

  it('gives any text back, whole or token by token', { timeout: SMOLLM2_SET_UP_MS }, async (test) => {
    const tokenizer = new Tokenizer(tokenizerFromGguf(await readGguf(await smolLm2(test))));
    const stream = tokenizer.stream();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const encoded = tokenizer.encode(text, { addBos: false });
        expect(tokenizer.decode(encoded)).toBe(text);
        const pieces = encoded.map((token) => stream.push(token));
        expect(pieces.join('') + stream.end()).toBe(text);
        // No piece ends in half a letter.
        expect(pieces.some((piece) => piece.includes('\ufffd'))).toBe(text.includes('\ufffd'));
      }),
      { numRuns: 300 },
    );
    const template = new ChatTemplate('smollm2', tokenizer.chatTemplate);
    expect(template.render([{ role: 'user', content: 'Hi' }], tokenizer)).toBe(
      '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' +
        '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
    );
    expect([...tokenizer.endTokens].sort()).toEqual([0, 2]);
  });
});

describe('a tokenizer.json', () => {
  const json = {
    added_tokens: [{ id: 4, content: '<end>', special: true }],
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }] },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: { '1': 0, '٢': 1, a: 2, aa: 3 }, merges: [['a', 'a']] },
  };

  it('splits digits of every script', () => {
    const source = {
      file: 'tokenizer.json',
      json: parseTokenizerJson('tokenizer.json', json),
      endTokens: ['<end>'],
    };
    const tokenizer = new Tokenizer(source);
    expect(tokenizer.encode('aa1٢<end>a', { addBos: true })).toEqual([3, 0, 1, 4, 2]);
    expect(tokenizer.size).toBe(5);
    expect(() => new Tokenizer({ ...source, endTokens: ['<none>'] })).toThrow(/no token '<none>'/);
  });

  it('is refused where its kind is another', () => {
    expect(() => parseTokenizerJson('t.json', { model: { type: 'Unigram', vocab: [] } })).toThrow(
      /t.json is not a tokenizer.json of the BPE kind: model.type: .*model.vocab: /,
    );
    const decoder = { type: 'WordPiece' };
    const source = {
      file: 't.json',
      json: parseTokenizerJson('t.json', { ...json, decoder }),
      endTokens: [],
    };
    expect(() => new Tokenizer(source)).toThrow(/expected a decoder of type ByteLevel, .* found WordPiece/);
  });
});

describe('bad metadata', () => {
  const bpe: readonly Entry[] = [
    ['tokenizer.ggml.model', 'string', 'gpt2'],
    ['tokenizer.ggml.tokens', 'array', ['a', 'b']],
  ];
  it.each<readonly [string, readonly Entry[], RegExp]>([
    ['no tokenizer', [], /has no tokenizer \('tokenizer.ggml.model'\)/],
    [
      'another tokenizer',
      [['tokenizer.ggml.model', 'string', 'bert']],
      /the tokenizer 'bert' can't be used; gpt2/,
    ],
    ['no tokens', changed('tokens', ['tokenizer.ggml.tokens', 'array', []]), /expected tokens, found none/],
    [
      'no scores',
      changed('scores'),
      /'tokenizer.ggml.scores': expected \d+ numbers, one a token, found none/,
    ],
    [
      'few types',
      changed('token_type', ['tokenizer.ggml.token_type', 'array', [1], 'int32']),
      /one a token, found 1/,
    ],
    [
      'a far bos',
      changed('bos_token_id', ['tokenizer.ggml.bos_token_id', 'uint32', 9999]),
      /bos_token_id'.*found 9999/,
    ],
    ['no bos', changed('bos_token_id'), /texts must begin with the token 'tokenizer.ggml.bos_token_id'/],
    [
      'no pre-tokenizer',
      bpe,
      /expected a known pre-tokenizer in 'tokenizer.ggml.pre', found none. gpt-2, smollm,/,
    ],
    ['another one', [...bpe, ['tokenizer.ggml.pre', 'string', 'xyz']], /found 'xyz'. gpt-2, smollm, .* work/],
    [
      'a merge of one piece',
      [...bpe, ['tokenizer.ggml.pre', 'string', 'qwen2'], ['tokenizer.ggml.merges', 'array', ['ab']]],
      /expected two pieces with a space between, found 'ab'/,
    ],
  ])('%s', async (_name, metadata, message) => {
    const gguf = await read(metadata);
    expect(() => tokenizerFromGguf(gguf)).toThrow(message);
  });
});

describe('a chat template', () => {
  it('says what is wrong with it or with the messages', () => {
    expect(() => new ChatTemplate('m.gguf', undefined)).toThrow(/m.gguf has no chat template/);
    expect(() => new ChatTemplate('m.gguf', '{% if %}')).toThrow(/m.gguf: its chat template can't be read/);
    const template = new ChatTemplate('m.gguf', "{{ raise_exception('roles must alternate') }}");
    expect(() =>
      template.render([{ role: 'user', content: 'a' }], { bosToken: undefined, eosToken: undefined }),
    ).toThrow(/refused the messages: roles must alternate/);
  });
});
