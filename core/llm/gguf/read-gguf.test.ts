import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { ggufBytes, ggufString, uint32, uint64, type TestGguf } from '../test-support/gguf-writer';
import { readGguf, type GgufFile } from './read-gguf';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-gguf-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function read(bytes: Uint8Array, memoryLimitBytes?: number): Promise<GgufFile> {
  const file = path.join(folder, `${files++}.gguf`);
  writeFileSync(file, bytes);
  return readGguf(file, memoryLimitBytes === undefined ? {} : { memoryLimitBytes });
}

const floats = (count: number): Uint8Array => new Uint8Array(new Float32Array(count).fill(1).buffer);
const sample: TestGguf = {
  metadata: [
    ['general.architecture', 'string', 'llama'],
    ['small', 'uint8', 250],
    ['negative', 'int8', -3],
    ['short', 'int16', -300],
    ['unsigned', 'uint16', 65_000],
    ['count', 'uint32', 4_000_000_000],
    ['signed', 'int32', -5],
    ['rope', 'float32', 0.5],
    ['double', 'float64', 0.1],
    ['flag', 'bool', true],
    ['long', 'uint64', 2 ** 40],
    ['longer', 'uint64', 2n ** 63n],
    ['below', 'int64', -7],
    ['tokens', 'array', ['<s>', 'ö', '']],
    ['scores', 'array', [1.5, -2], 'float32'],
    ['flags', 'array', [true, false], 'bool'],
    ['wide', 'array', [1, 2 ** 40], 'uint64'],
  ],
  tensors: [
    { name: 'a.weight', dims: [3, 5], typeId: 0, bytes: floats(15) },
    { name: 'b.weight', dims: [2, 32], typeId: 8, bytes: new Uint8Array(68) },
    { name: 'none', dims: [0], typeId: 0, bytes: new Uint8Array(0) },
  ],
};

describe('a sound file', () => {
  it.each([2, 3])('of version %i gives back every kind of value', async (version) => {
    const { metadata, tensors, ...rest } = await read(ggufBytes({ ...sample, version }));
    expect(rest.version).toBe(version);
    expect(metadata.text('general.architecture')).toBe('llama');
    expect(['small', 'count', 'unsigned', 'long'].map((key) => metadata.count(key))).toEqual([
      250,
      4_000_000_000,
      65_000,
      2 ** 40,
    ]);
    expect(
      ['negative', 'short', 'signed', 'rope', 'double', 'below'].map((key) => metadata.number(key)),
    ).toEqual([-3, -300, -5, 0.5, 0.1, -7]);
    expect(metadata.optionalFlag('flag')).toBe(true);
    expect(metadata.texts('tokens')).toEqual(['<s>', 'ö', '']);
    expect(Array.from(metadata.optionalNumbers('scores')!)).toEqual([1.5, -2]);
    expect(metadata.optionalNumbers('wide')).toEqual([1, 2 ** 40]);
    expect(metadata.optionalText('absent')).toBeUndefined();
    expect(
      [...tensors.values()].map(({ name, dims, type, byteLength }) => [name, dims, type.name, byteLength]),
    ).toEqual([
      ['a.weight', [3, 5], 'F32', 60],
      ['b.weight', [2, 32], 'Q8_0', 68],
      ['none', [0], 'F32', 0],
    ]);
    expect(tensors.get('b.weight')!.offset - tensors.get('a.weight')!.offset).toBe(64);
  });

  it.each([
    ['text', 'count', /metadata 'count': expected text, found 4000000000/],
    ['count', 'negative', /metadata 'negative': expected a whole number of 0 or more, found -3/],
    ['count', 'longer', /expected a whole number of 0 or more, found 9223372036854775808/],
    ['number', 'flag', /metadata 'flag': expected a number, found true/],
    ['texts', 'scores', /metadata 'scores': expected an array of texts, found an array of 2 float32/],
    ['optionalNumbers', 'flags', /expected an array of numbers, found an array of 2 bool/],
    ['optionalNumbers', 'rope', /expected an array of numbers, found 0.5/],
    ['text', 'absent', /expected metadata 'absent' \(text\), found none/],
  ] as const)('refuses %s of %s', async (getter, key, message) => {
    const { metadata } = await read(ggufBytes(sample));
    expect(() => metadata[getter](key)).toThrow(message);
  });
});

const head = (tensors: number, keys: number | bigint): Uint8Array =>
  Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(tensors), uint64(keys)]);
const withValue = (...parts: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([head(0, 1), ggufString('k'), ...parts, new Uint8Array(64)]);
const withTensor = (tensor: Partial<NonNullable<TestGguf['tensors']>[number]>): Uint8Array =>
  ggufBytes({ tensors: [{ name: 'w', dims: [4], typeId: 0, bytes: floats(4), ...tensor }] });
const nested = (levels: number): Uint8Array =>
  Buffer.concat(Array.from({ length: levels }, () => Buffer.concat([uint32(9), uint64(1)])));

const corpus: readonly (readonly [name: string, bytes: Uint8Array, message: RegExp])[] = [
  ['an empty file', new Uint8Array(0), /byte 0: the file is empty; copy or download it again/],
  ['HTML', Buffer.from('<!DOCTYPE html>'), /expected the letters GGUF, found HTML or XML/],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1'), /git lfs pull/],
  ['safetensors', Buffer.from('\x40\0\0\0\0\0\0\0{"a":{}}'), /found a safetensors file; give the folder/],
  ['an old ggml file', Buffer.from('lmgg\x01\0\0\0'), /ggml's old format; convert it to GGUF/],
  ['other bytes', Uint8Array.of(1, 2, 3, 4, 5), /expected the letters GGUF, found bytes 01020304/],
  [
    'only the magic',
    Buffer.from('GGUF'),
    /the version takes 4 bytes, but the file ends at byte 4: 4 bytes are missing/,
  ],
  ['version 1', ggufBytes({ version: 1 }), /GGUF file of version 1; versions 2 and 3 can be read/],
  [
    'big-endian',
    Buffer.concat([Buffer.from('GGUF'), Uint8Array.of(0, 0, 0, 3)]),
    /big-endian GGUF file; convert/,
  ],
  [
    '2^64-1 keys',
    head(0, 2n ** 64n - 1n),
    /expected a number of metadata keys of at most 65536, found 18446744073709552000/,
  ],
  ['2^40 tensors', head(2 ** 40, 0), /expected a number of tensors of at most 1000000, found 1099511627776/],
  ['a key missing', head(0, 1), /a length of a metadata key takes 4 bytes, but the file ends/],
  ['an unknown value type', withValue(uint32(13)), /byte 33: 'k' has value type 13; GGUF knows 0 to 12/],
  ['an unknown element type', withValue(uint32(9), uint32(99), uint64(1)), /'k' has value type 99/],
  ['a bool of 2', withValue(uint32(7), Uint8Array.of(2)), /expected 'k' to be 0 or 1, found 2/],
  [
    'an array longer than the file',
    withValue(uint32(9), uint32(8), uint64(2 ** 50)),
    /expected a number of elements in 'k' of at most \d, found 1125899906842624/,
  ],
  [
    'a string longer than allowed',
    withValue(uint32(8), uint64(2 ** 33)),
    /of at most 16777216, found 8589934592/,
  ],
  [
    'a string past the end',
    withValue(uint32(8), uint64(1000)),
    /the value of 'k' takes 1000 bytes, but the file ends/,
  ],
  [
    'text that is no UTF-8',
    withValue(uint32(8), uint64(2), Uint8Array.of(0xff, 0xfe)),
    /expected UTF-8 text in/,
  ],
  [
    'arrays nested 6 deep',
    withValue(uint32(9), nested(6), uint32(0)),
    /arrays in 'k' are nested more than 4 deep/,
  ],
  [
    'a key twice',
    ggufBytes({
      metadata: [
        ['k', 'bool', true],
        ['k', 'bool', false],
      ],
    }),
    /metadata 'k' is there twice/,
  ],
  [
    'a model in parts',
    ggufBytes({ metadata: [['split.count', 'uint16', 3]] }),
    /is one of 3 files that make up a model. Join them/,
  ],
  [
    'an alignment of 0',
    ggufBytes({ metadata: [['general.alignment', 'uint32', 0]] }),
    /'general.alignment': expected a multiple of 8, found 0/,
  ],
  ['a long tensor name', withTensor({ name: 'w'.repeat(65) }), /a tensor name of at most 64, found 65/],
  ['five axes', withTensor({ dims: [1, 1, 1, 1, 4] }), /tensor 'w': expected at most 4 axes, found 5/],
  ['an unknown tensor type', withTensor({ typeId: 77 }), /tensor 'w' has the type 77, which this version/],
  [
    'a huge shape',
    withTensor({ dims: [2 ** 40, 2 ** 40] }),
    /\[1099511627776, 1099511627776\] has too many elements/,
  ],
  [
    'a row of half a block',
    withTensor({ dims: [2, 16], typeId: 2 }),
    /rows of a multiple of 32 elements for Q4_0/,
  ],
  ['a crooked offset', withTensor({ offset: 4 }), /expected an offset that is a multiple of 32, found 4/],
  [
    'data past the end',
    withTensor({ dims: [4000] }),
    /\[4000\] of F32 takes bytes .* 1596\d bytes are missing/,
  ],
  [
    'an offset past the end',
    Buffer.concat([head(1, 0), ggufString('w'), uint32(1), uint64(1), uint32(0), uint64(2 ** 45)]),
    /tensor 'w'.*missing/,
  ],
  [
    'a tensor twice',
    ggufBytes({ tensors: [0, 1].map(() => ({ name: 'w', dims: [4], typeId: 0, bytes: floats(4) })) }),
    /a second tensor is called 'w'/,
  ],
  [
    'overlapping tensors',
    ggufBytes({
      tensors: ['a', 'b'].map((name) => ({
        name,
        dims: [16],
        typeId: 0,
        bytes: floats(16),
        offset: name === 'a' ? 0 : 32,
      })),
    }),
    /tensors 'a' and 'b' overlap at byte/,
  ],
];

describe('a bad file', () => {
  it.each(corpus)('%s', async (_name, bytes, message) => {
    const error = await read(bytes).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).message).toMatch(message);
  });

  it('is refused past the memory limit', async () => {
    const tokens = Array.from({ length: 1000 }, (_, index) => `token ${index}`);
    const bytes = ggufBytes({ metadata: [['tokens', 'array', tokens]] });
    await expect(read(bytes, 20_000)).rejects.toThrow(/needs more than 20000 bytes of memory/);
  });

  it('is named when it is not there, or no file', async () => {
    await expect(readGguf(path.join(folder, 'no.gguf'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(readGguf(folder)).rejects.toThrow(/it is no regular file/);
  });

  it('can be cancelled', async () => {
    const file = path.join(folder, 'cancelled.gguf');
    writeFileSync(file, ggufBytes(sample));
    await expect(readGguf(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('damage', () => {
  const whole = ggufBytes({ ...sample, tensors: sample.tensors!.slice(0, 2) });

  it('fails clearly at every length short of the whole', async () => {
    // The padding behind the last tensor belongs to nothing.
    for (let length = 0; length < whole.length - 32; length += 1) {
      await expect(read(whole.subarray(0, length))).rejects.toBeInstanceOf(SluiceError);
    }
  });

  it('reads or fails with a SluiceError after random edits', async () => {
    const edit = fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      remove: fc.nat({ max: 4 }),
      insert: fc.uint8Array({ maxLength: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let bytes = whole;
        for (const { at, remove, insert } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        }
        const outcome = await read(bytes).catch((thrown: unknown) => thrown);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(SluiceError);
      }),
      { numRuns: 500 },
    );
  });
});
