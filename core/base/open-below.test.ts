import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isBelow, openBelow, realPathOf } from './open-below';

let root: string;
let folder: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-below-')));
  folder = join(root, 'model');
  mkdirSync(join(folder, 'inner'), { recursive: true });
  writeFileSync(join(folder, 'weights'), 'weights');
  writeFileSync(join(root, 'secret'), 'secret');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = (fd: number): string => {
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
};

describe('a file that has to lie below a folder', () => {
  it('is opened by its name, and by a link within', () => {
    symlinkSync('../weights', join(folder, 'inner', 'link'));
    for (const name of ['weights', 'inner/link'])
      expect(text(openBelow(join(folder, name), [folder]))).toBe('weights');
    expect(text(openBelow(join(root, 'secret')))).toBe('secret');
  });

  it.each([
    ['a link to another file', () => symlinkSync('../secret', join(folder, 'out')), 'out'],
    ['a link through a folder', () => symlinkSync('..', join(folder, 'up')), 'up/secret'],
    ['a path with dots', () => undefined, '../secret'],
  ])('is refused: %s', (_what, make, name) => {
    make();
    expect(() => openBelow(`${folder}/${name}`, [folder])).toThrow(
      `${folder}/${name} leads to ${join(root, 'secret')}; expected a file below ${folder}`,
    );
  });

  it('leaves no descriptor open behind a refusal', () => {
    if (!existsSync('/proc/self/fd')) return;
    symlinkSync('../secret', join(folder, 'out'));
    const first = openSync(join(folder, 'weights'), 'r');
    closeSync(first);
    for (let count = 0; count < 50; count += 1)
      expect(() => openBelow(join(folder, 'out'), [folder])).toThrow();
    const next = openSync(join(folder, 'weights'), 'r');
    closeSync(next);
    expect(next).toBeLessThan(first + 10);
  });

  it('says what the file system says of one that is not there', () => {
    expect(() => openBelow(join(folder, 'none'), [folder])).toThrow(/ENOENT/);
  });
});

describe('where an open file lies', () => {
  it('is told of the file, not of what its name leads to by now', () => {
    const path = join(folder, 'weights');
    const fd = openSync(path, 'r');
    try {
      expect(realPathOf(fd, path)).toBe(path);
      renameSync(path, join(folder, 'moved'));
      symlinkSync('../secret', path);
      if (process.platform === 'linux') expect(realPathOf(fd, path)).toBe(join(folder, 'moved'));
      else expect(() => realPathOf(fd, path)).toThrow(/became another file/);
    } finally {
      closeSync(fd);
    }
  });

  it('is below a folder or not, whatever the names look like', () => {
    expect(isBelow('/a/b', '/a/b/c')).toBe(true);
    expect(isBelow('/a/b', '/a/b/..c')).toBe(true);
    for (const other of ['/a/b', '/a/bc', '/a', '/a/b/../c', '/'])
      expect(isBelow('/a/b', other), other).toBe(false);
  });
});
