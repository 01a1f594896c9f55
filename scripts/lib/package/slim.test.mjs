import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../process.mjs';
import { slim } from './slim.mjs';

let folder;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-slim-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('packs the licences and leaves what is no program alone', async () => {
  writeFileSync(join(folder, 'LICENSES.chromium.html'), '<p>free</p>');
  writeFileSync(join(folder, 'resources.pak'), 'MZ and more than twenty bytes');
  await slim(folder);
  expect(readdirSync(folder).sort()).toEqual(['LICENSES.chromium.html.gz', 'resources.pak']);
  expect(gunzipSync(readFileSync(join(folder, 'LICENSES.chromium.html.gz'))).toString()).toBe('<p>free</p>');
});

it.skipIf(process.platform !== 'linux')('a program still runs, and one of another kind stays', async () => {
  const program = join(folder, 'program');
  copyFileSync('/bin/true', program);
  await slim(folder);
  expect((await run(program, [])).code).toBe(0);
  const foreign = join(folder, 'foreign');
  writeFileSync(foreign, Buffer.concat([Buffer.from('7f454c46', 'hex'), Buffer.alloc(100)]));
  const before = statSync(foreign).size;
  await slim(folder);
  expect(statSync(foreign).size).toBe(before);
});
