import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { safetensorsBytes, withHeader, type TestSafeTensor } from '../test-support/safetensors-writer';
import { readSafetensors, type SafeTensor } from './safetensors';

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(bytes: Uint8Array): Promise<readonly SafeTensor[]> {
  const file = path.join(folder, `${files++}.safetensors`);
  writeFileSync(file, bytes);
  return readSafetensors(file);
}

const tensor = (
  name: string,
  shape: readonly number[],
  extra: Partial<TestSafeTensor> = {},
): TestSafeTensor => ({
  name,
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(4 * shape.reduce((product, dim) => product * dim, 1)),
  ...extra,
});

it('tells where tensors stand, scalars and empty ones too', async () => {
  const parts = [
    tensor('b', [2, 3]),
    tensor('scalar', []),
    tensor('none', [0, 4]),
    tensor('a', [5], { dtype: 'BF16', bytes: new Uint8Array(10) }),
  ];
  const bytes = safetensorsBytes(parts);
  const start = bytes.length - 38;
  const found = await read(bytes);
  expect([...found].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)).toEqual([
    { name: 'b', dtype: 'F32', dims: [2, 3], offset: start, byteLength: 24 },
    { name: 'scalar', dtype: 'F32', dims: [], offset: start + 24, byteLength: 4 },
    { name: 'none', dtype: 'F32', dims: [0, 4], offset: start + 28, byteLength: 0 },
    { name: 'a', dtype: 'BF16', dims: [5], offset: start + 28, byteLength: 10 },
  ]);
});

const entry = (name: string, rest: object): string =>
  `"${name}":${JSON.stringify({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...rest })}`;
const eight = new Uint8Array(8);
const headerOf = (...entries: readonly string[]): Uint8Array => withHeader(`{${entries.join(',')}}`, eight);

const BAD: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', new Uint8Array(0), /it has 0 bytes, less than a header/],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /Git LFS pointer/],
  [
    'a huge header',
    withHeader('{}', eight, 2 ** 40),
    /a header of at most 16777216 bytes, found 1099511627776/,
  ],
  ['a header past the end', withHeader('{}', eight, 30), /header is cut short, 20 bytes are missing/],
  ['a header of another kind', withHeader('[]', eight), /an object by tensor name/],
  ['no JSON', withHeader('{"a":', eight), /its header is no JSON/],
  ['no UTF-8', withHeader('', Buffer.from([0x7b, 0xff, 0x7d]), 3), /no UTF-8/],
  ['a name twice', headerOf(entry('a', {}), entry('b', {}), entry('a', {})), /'a' is there twice/],
  [
    'a name twice, written otherwise',
    headerOf(entry('a', {}), entry('\\u0061', { dtype: 'I32' })),
    /'a' is there twice/,
  ],
  [
    'a field twice',
    withHeader('{"a":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}', eight),
    /twice/,
  ],
  ['no offsets', headerOf(entry('a', { data_offsets: undefined })), /tensor 'a': data_offsets: /],
  ['a negative size', headerOf(entry('a', { shape: [-2] })), /tensor 'a': shape.0: /],
  ['a fraction', headerOf(entry('a', { shape: [2.5] })), /tensor 'a': shape.0: /],
  ['an unknown dtype', headerOf(entry('a', { dtype: 'Q9' })), /the dtype 'Q9', which this version/],
  ['a dtype of every object', headerOf(entry('a', { dtype: 'toString' })), /the dtype 'toString'/],
  ['a wrong size', headerOf(entry('a', { shape: [3] })), /\[3\] of F32 takes 12 bytes, its offsets say 8/],
  ['offsets backwards', headerOf(entry('a', { data_offsets: [8, 0] })), /takes 8 bytes, its offsets say -8/],
  [
    'a size past all numbers',
    headerOf(entry('a', { shape: [2 ** 40, 2 ** 40] })),
    /tensor 'a': shape .* has too many elements/,
  ],
  [
    'an overlap',
    headerOf(entry('a', { shape: [1], data_offsets: [0, 4] }), entry('b', { data_offsets: [2, 10] })),
    /tensors 'a' and 'b' overlap/,
  ],
  [
    'the same place twice',
    headerOf(entry('a', {}), entry('b', { dtype: 'I32' })),
    /tensors 'a' and 'b' overlap/,
  ],
  [
    'a gap',
    headerOf(entry('a', { data_offsets: [4, 12] })),
    /expected tensor 'a' at byte 0 of the data, found 4/,
  ],
  [
    'an end too early',
    withHeader(`{${entry('a', {})}}`, new Uint8Array(5)),
    /take 8 bytes, and 5 are there; it was cut/,
  ],
  [
    'bytes too many',
    withHeader(`{${entry('a', {})}}`, new Uint8Array(9)),
    /take 8 bytes, and 9 are there: nothing/,
  ],
];

describe('a file that is damaged or crafted', () => {
  it.each(BAD)('names %s', async (_name, bytes, message) => {
    const opened = read(bytes);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(SluiceError);
  });

  it('is missing, or a folder', async () => {
    await expect(readSafetensors(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(readSafetensors(folder)).rejects.toThrow(/no regular file/);
  });

  it('never gives a tensor outside the file, whatever its bytes', async () => {
    const sound = safetensorsBytes([tensor('a', [2]), tensor('b', [3, 1])]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(sound.length),
        async (changes, length) => {
          const bytes = Uint8Array.from(sound);
          for (const [at, value] of changes) bytes[at] = value;
          const found = await read(bytes.subarray(0, length || sound.length)).catch((error: unknown) => {
            expect(error).toBeInstanceOf(SluiceError);
            return [];
          });
          for (const { offset, byteLength } of found) {
            expect(offset + byteLength).toBeLessThanOrEqual(length || sound.length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
