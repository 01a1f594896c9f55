import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ErrorCode, ModelSummary, ModelTask, RunInput } from '../../contract';
import { exampleImagePath } from '../../vision';
import { findAppRoot } from '../app-root';
import { imageType } from './image-type';
import { inputImage, inputName, loadInput } from './load-input';

const appRoot = findAppRoot(__dirname);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-input-'));
  writeFileSync(join(folder, 'x.json'), '{"x": {"shape": [1, 2], "data": [1, 2]}}');
  writeFileSync(join(folder, 'short.json'), '{"x": {"shape": [1, 2], "data": [1]}}');
  writeFileSync(join(folder, 'broken.json'), '{"x": ');
  writeFileSync(join(folder, 'x.npy'), 'no array');
  writeFileSync(join(folder, 'notes.txt'), 'text');
  writeFileSync(join(folder, 'huge.png'), '');
  truncateSync(join(folder, 'huge.png'), 600 * 2 ** 20);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = (task: ModelTask): Pick<ModelSummary, 'name' | 'task' | 'inputs'> => ({
  name: 'm',
  task,
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, -1] }],
});
const TENSOR = model({ kind: 'tensor' });
const TEXT = model({ kind: 'text', detector: 'd', recognizer: 'r' });
const CLASSES = model({ kind: 'classification', labels: 10 });
const file = (name: string): RunInput => ({ kind: 'file', path: join(folder, name) });

describe('loadInput', () => {
  it('reads a picture for tasks that take one', async () => {
    for (const task of [TEXT, CLASSES]) {
      const input = await loadInput({ kind: 'example', id: 'sign' }, task, appRoot);
      expect(input).toMatchObject({ kind: 'image', image: { width: 720, height: 480 } });
    }
  });

  it('reads tensors of a file, and makes random ones', async () => {
    const read = await loadInput(file('x.json'), TENSOR, appRoot);
    expect(read).toMatchObject({ kind: 'tensors' });
    const random = await loadInput({ kind: 'random', seed: 3, freeDim: 5 }, TENSOR, appRoot);
    expect(random.kind === 'tensors' && random.tensors.get('x')?.shape).toEqual([1, 5]);
  });

  const bad: readonly (readonly [string, RunInput | string, typeof TENSOR, ErrorCode, RegExp])[] = [
    ['a missing file', 'missing.png', TEXT, 'not-found', /No such input file: .*missing\.png/],
    [
      'an unknown example',
      { kind: 'example', id: 'cat' },
      TEXT,
      'not-found',
      /"cat"; there are receipt, sign/,
    ],
    ['random for text', { kind: 'random', seed: 1 }, TEXT, 'bad-input', /give it a picture/],
    [
      'a picture for tensors',
      { kind: 'example', id: 'sign' },
      TENSOR,
      'bad-input',
      /found a picture.*"x" float32/,
    ],
    ['text as a picture', 'notes.txt', CLASSES, 'bad-input', /not an image/],
    ['a directory', '.', CLASSES, 'io', /Can't read the input/],
    ['a huge file', 'huge.png', CLASSES, 'bad-input', /600 MiB/],
    ['too few values', 'short.json', TENSOR, 'bad-input', /needs 2 values, found 1/],
    ['broken JSON', 'broken.json', TENSOR, 'bad-input', /not JSON/],
    ['no array', 'x.npy', TENSOR, 'bad-input', /not a \.npy file/],
    ['empty bytes', { kind: 'bytes', name: 'a.png', bytes: new Uint8Array() }, TEXT, 'bad-input', /empty/],
  ];
  it.each(bad)('refuses %s', async (_what, input, task, code, message) => {
    const loading = loadInput(typeof input === 'string' ? file(input) : input, task, appRoot);
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});

describe('inputImage', () => {
  it('hands out pictures', async () => {
    const { mime, bytes } = await inputImage({ kind: 'example', id: 'sign' }, appRoot);
    expect([mime, imageType(bytes)]).toEqual(['image/png', 'image/png']);
  });

  it('answers for an example from memory once it was read, however busy the disk', async () => {
    const root = join(folder, 'app');
    const path = exampleImagePath(root, 'sign') ?? '';
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(exampleImagePath(appRoot, 'sign') ?? '', path);
    await loadInput({ kind: 'example', id: 'sign' }, TEXT, root);
    rmSync(path);
    await expect(inputImage({ kind: 'example', id: 'sign' }, root)).resolves.toMatchObject({
      mime: 'image/png',
    });
  });

  it('and nothing else of the machine', async () => {
    await expect(inputImage(file('notes.txt'), appRoot)).rejects.toThrow(/not a picture/);
    await expect(inputImage({ kind: 'file', path: '/etc/passwd' }, appRoot)).rejects.toThrow(/not a picture/);
    await expect(inputImage({ kind: 'random', seed: 1 }, appRoot)).rejects.toThrow(/no picture/);
  });
});

it.each<readonly [RunInput, string]>([
  [{ kind: 'example', id: 'receipt' }, 'Photographed receipt'],
  [{ kind: 'file', path: '/a/b.png' }, 'b.png'],
  [{ kind: 'random', seed: 4 }, 'random (seed 4)'],
])('%j is called %s', (input, name) => expect(inputName(input)).toBe(name));
