import { describe, expect, it } from 'vitest';

import { Tokenizer } from '../tokenizer/tokenizer';
import type { TokenizerSource } from '../tokenizer/tokenizer-source';
import { modelFolder } from './folder-file';
import { tokenizerOfFolder, type TokenizerFiles } from './folder-tokenizer';

const special = (id: number, content: string): object => ({ id, content, special: true, normalized: false });
const single = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
const JSON_FILE = {
  version: '1.0',
  added_tokens: [special(2, '<s>'), special(3, '</s>'), special(4, '<|im_end|>'), special(5, '<stop>')],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  post_processor: { type: 'TemplateProcessing', single, pair: single, special_tokens: {} },
  decoder: { type: 'ByteLevel' },
  model: { type: 'BPE', vocab: { H: 0, i: 1, '<s>': 2, '</s>': 3 }, merges: [] },
};
const folder = modelFolder('/models/tiny');

function read(files: Partial<TokenizerFiles>): TokenizerSource {
  const none = {
    tokenizerConfig: undefined,
    generationConfig: undefined,
    config: {},
    chatTemplate: undefined,
  };
  return tokenizerOfFolder(folder, { tokenizer: JSON_FILE, ...none, ...files });
}

describe('the tokenizer of a folder', () => {
  it('is its tokenizer.json, with tokens and template of its configuration', () => {
    const source = read({
      tokenizerConfig: { bos_token: { content: '<s>' }, eos_token: '</s>', chat_template: 'plain' },
    });
    expect(source).toMatchObject({ bosToken: '<s>', eosToken: '</s>', chatTemplate: 'plain' });
    const tokenizer = new Tokenizer(source);
    expect(tokenizer.encode('Hi', { addBos: true })).toEqual([2, 0, 1]);
    expect(tokenizer.encode('Hi', { addBos: false })).toEqual([0, 1]);
    // A turn's end counts, whether or not a file says so.
    expect([...tokenizer.endTokens].sort()).toEqual([3, 4]);
  });

  it.each<readonly [string, Partial<TokenizerFiles>, readonly string[]]>([
    ['generation_config.json', { generationConfig: { eos_token_id: [5, 3] } }, ['<stop>']],
    ['config.json', { config: { eos_token_id: 5 } }, ['<stop>']],
    ['the former of both', { generationConfig: { eos_token_id: 1 }, config: { eos_token_id: 5 } }, ['i']],
    ['neither', { generationConfig: { eos_token_id: null } }, []],
  ])('ends at the tokens of %s, and at the end of a turn', (_name, files, ends) => {
    expect(read(files).endTokens).toEqual([...ends, '</s>', '<|im_end|>']);
  });

  it('has one template of several, and that of its own file before all', () => {
    const named = (name: string): object => ({ name, template: `of ${name}` });
    const several = { chat_template: [named('tool_use'), named('default')] };
    expect(read({ tokenizerConfig: several }).chatTemplate).toBe('of default');
    expect(read({ tokenizerConfig: several, chatTemplate: 'own' }).chatTemplate).toBe('own');
    expect(read({ tokenizerConfig: { chat_template: [named('rag')] } }).chatTemplate).toBeUndefined();
  });

  it.each([
    ['LlamaTokenizerFast', false, [0]],
    ['LlamaTokenizer', true, [2, 0]],
    ['PreTrainedTokenizerFast', false, [2, 0]],
    [undefined, false, [2, 0]],
  ])(
    'of the class %s begins a text as add_bos_token %s says, if that class heeds it',
    (kind, adds, expected) => {
      const config = { tokenizer_class: kind, add_bos_token: adds, bos_token: '<s>' };
      expect(new Tokenizer(read({ tokenizerConfig: config })).encode('H', { addBos: true })).toEqual(
        expected,
      );
    },
  );
});

describe('a tokenizer that can not be used', () => {
  it.each<readonly [string, Partial<TokenizerFiles>, string, RegExp]>([
    [
      'missing',
      { tokenizer: undefined },
      'unsupported',
      /no tokenizer.json; save the tokenizer again as a fast one/,
    ],
    [
      'of another kind',
      { tokenizer: { model: { type: 'Unigram', vocab: [['a', -1]] } } },
      'bad-model',
      /tiny\/tokenizer.json is not a tokenizer.json of the BPE kind/,
    ],
    [
      'with a number far above any vocabulary',
      { tokenizer: { model: { vocab: { a: 1e9 }, merges: [] } } },
      'bad-model',
      /model\.vocab\.a: Too big: expected number to be <=4194303/,
    ],
    [
      'with an end that is no token',
      { generationConfig: { eos_token_id: [3, 99] } },
      'bad-model',
      /eos_token_id 99: tokenizer.json has no such token/,
    ],
    [
      'with numbers for texts',
      { tokenizerConfig: { eos_token: 3 } },
      'bad-model',
      /tokenizer_config.json: eos_token/,
    ],
    [
      'with a begin it does not name',
      { tokenizerConfig: { tokenizer_class: 'LlamaTokenizer', add_bos_token: true } },
      'bad-model',
      /add_bos_token is set, and no bos_token/,
    ],
  ])('is %s', (_name, files, code, message) => {
    expect(() => new Tokenizer(read(files))).toThrow(message);
    expect(() => new Tokenizer(read(files))).toThrow(expect.objectContaining({ code }) as Error);
  });
});
