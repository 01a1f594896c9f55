import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { plainFile } from './app-files';

describe('the plain file of', () => {
  it.each([
    ['resources/app.asar/out/main/engine.js', 'resources/app.asar.unpacked/out/main/engine.js'],
    ['resources/app.asar.unpacked/out/main/engine.js', 'resources/app.asar.unpacked/out/main/engine.js'],
    ['sluice/out/main/engine.js', 'sluice/out/main/engine.js'],
    ['my.app.asar/out/main/engine.js', 'my.app.asar/out/main/engine.js'],
  ])('%s', (path, expected) => {
    expect(plainFile(join('/', path))).toBe(join('/', expected));
  });
});
