import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { chooseFiles, type HubChoice } from './choose-files';

const MIB = 1 << 20;
const FOLDER = ['config.json', 'model.safetensors'];

function choose(paths: readonly string[], wanted?: string): HubChoice {
  const files = new Map(paths.map((path, index) => [path, { path, bytes: (index + 1) * 100 * MIB }]));
  return chooseFiles({ repo: { id: 'acme/tiny', revision: 'main' }, files }, wanted);
}

describe('of a repository', () => {
  it.each<readonly [string, readonly string[], string | undefined, string]>([
    ['its only GGUF file', ['README.md', 'tiny.Q8_0.gguf'], undefined, 'tiny.Q8_0.gguf'],
    ['a GGUF file before the folder', [...FOLDER, 'tiny.gguf'], undefined, 'tiny.gguf'],
    ['no projector', ['mmproj-tiny.gguf', 'a/tiny.GGUF', 'tiny.imatrix.gguf'], undefined, 'a/tiny.GGUF'],
    [
      'no part',
      ['big-00001-of-00002.gguf', 'big-00002-of-00002.gguf', 'big-Q2_K.gguf'],
      undefined,
      'big-Q2_K.gguf',
    ],
    ['the file asked for', ['a.gguf', 'b.gguf', 'c-Q4_0.gguf'], 'b.gguf', 'b.gguf'],
    ['the projector asked for', ['mmproj-a.gguf', 'b.gguf'], 'mmproj-a.gguf', 'mmproj-a.gguf'],
    ['the only one of 4 bits', ['t-Q8_0.gguf', 't.q4_1.gguf', 't-IQ4_NL.gguf'], undefined, 't.q4_1.gguf'],
    ['the only one of 4 bits', ['t-Q2_K.gguf', 't-Q4_K_M.gguf', 't-Q4_K_S.gguf'], undefined, 't-Q4_K_M.gguf'],
  ])('%s is chosen: %j', (_name, paths, wanted, expected) => {
    const choice = choose(paths, wanted);
    expect(choice).toMatchObject({ kind: 'gguf', file: { path: expected } });
    const hadToChoose = wanted === undefined && /4 bits/.test(_name);
    expect('reason' in choice).toBe(hadToChoose);
    if (hadToChoose)
      expect(choice).toMatchObject({ reason: expect.stringMatching(/only one of 3 GGUF files/) as string });
  });

  it.each<readonly [readonly string[], string | undefined]>([
    [FOLDER, undefined],
    [['config.json', 'model.safetensors.index.json'], undefined],
    [[...FOLDER, 'a.gguf', 'b.gguf'], 'model.safetensors'],
  ])('the folder is chosen: %j, %s', (paths, wanted) => {
    expect(choose(paths, wanted)).toEqual({ kind: 'folder' });
  });

  it.each<readonly [string, readonly string[], string | undefined, string, RegExp]>([
    [
      'several of 4 bits',
      ['t-Q4_K_M.gguf', 't-Q4_0.gguf', ...FOLDER],
      undefined,
      'bad-input',
      /^acme\/tiny has several models. Choose one with --file:\n {2}t-Q4_K_M.gguf {2}100 MiB\n {2}t-Q4_0.gguf {2}200 MiB\n {2}model.safetensors {2}the folder/,
    ],
    ['none of 4 bits', ['a-Q8_0.gguf', 'a-F16.gguf'], undefined, 'bad-input', /has several models/],
    [
      'very many',
      Array.from({ length: 60 }, (_, at) => `${at}.gguf`),
      undefined,
      'bad-input',
      /\n {2}and 20 more$/,
    ],
    [
      'one that is not there',
      ['a.gguf'],
      'b.gguf',
      'not-found',
      /has no file b.gguf. Choose one with --file:\n {2}a.gguf/,
    ],
    [
      'one that is no model',
      ['a.txt'],
      'a.txt',
      'bad-input',
      /a.txt of acme\/tiny is no model. It has no model/,
    ],
    ['a part', ['big-00001-of-00002.gguf'], 'big-00001-of-00002.gguf', 'unsupported', /one of several files/],
    [
      'nothing but pickles',
      ['config.json', 'pytorch_model.bin'],
      undefined,
      'unsupported',
      /neither a GGUF file/,
    ],
  ])("%s is the user's to choose, or can't be had", (_name, paths, wanted, code, message) => {
    let thrown: unknown;
    try {
      choose(paths, wanted);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SluiceError);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});
