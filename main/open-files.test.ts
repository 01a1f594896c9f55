import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createFileOpener } from './open-files';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-open-'));
  for (const name of ['a.onnx', 'B.GGUF', 'notes.txt', '--x.onnx']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'folder.onnx'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOTHING = { paths: [], refused: [] };

describe('files to open', () => {
  it('are the models among the arguments, each once, until they are taken', () => {
    const offered = vi.fn();
    const { offer, take } = createFileOpener(offered);
    offer(['/usr/lib/sluice/sluice', '--no-sandbox', 'a.onnx', 'notes.txt', join(folder, 'a.onnx')], folder);
    offer(['sluice', './B.GGUF'], folder);
    expect(offered).toHaveBeenCalledTimes(2);
    expect(take()).toEqual({ paths: [join(folder, 'a.onnx'), join(folder, 'B.GGUF')], refused: [] });
    expect(take()).toEqual(NOTHING);
  });

  it.each([
    ['no argument', []],
    ['a folder', ['.']],
    ['another type of file', ['notes.txt']],
    ['an option, whatever it ends with', ['--x.onnx']],
  ])('are none: %s', (_what, args) => {
    const offered = vi.fn();
    const { offer, take } = createFileOpener(offered);
    offer(args, folder);
    expect(offered).not.toHaveBeenCalled();
    expect(take()).toEqual(NOTHING);
  });

  it.each([
    ['missing.onnx', /There is no file .*missing\.onnx/],
    ['folder.onnx', /folder\.onnx is not a file/],
    ['a\0.onnx', /not a path of this machine/],
  ])('are refused with a reason: %s', (name, reason) => {
    const { offer, take } = createFileOpener(() => undefined);
    offer([name], folder);
    expect(take()).toEqual({ paths: [], refused: [expect.stringMatching(reason)] });
  });

  it('are not more than a console can show', () => {
    const { offer, take } = createFileOpener(() => undefined);
    offer(
      Array.from({ length: 60 }, (_none, index) => `${index}.onnx`),
      folder,
    );
    expect(take().refused).toHaveLength(51);
  });
});
