import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readWritten } from './written-file';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'written-'));
  await writeFile(join(folder, 'secret'), 'answers');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const read = (ownerId?: number): Promise<string | undefined> =>
  readWritten(join(folder, 'out'), '$OUT', 100, ownerId);

describe('a file that a job wrote', () => {
  it('is read when it is one, and undefined when there is none', async () => {
    expect(await read()).toBeUndefined();
    await writeFile(join(folder, 'out'), 'a');
    expect(await read()).toBe('a');
  });

  it.each<[string, (out: string, secret: string) => unknown]>([
    ['a link', (out, secret) => symlink(secret, out)],
    ['a second name of a file', (out, secret) => link(secret, out)],
    ['a folder', (out) => mkdir(out)],
    ['a pipe', (out) => execFileSync('mkfifo', [out])],
    ['more than is taken', (out) => writeFile(out, 'x'.repeat(101))],
  ])('is refused when it is %s', async (_what, make) => {
    await make(join(folder, 'out'), join(folder, 'secret'));
    await expect(read()).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/^\$OUT: /) as string,
    });
  });

  it("is refused when it is another user's", async () => {
    await writeFile(join(folder, 'out'), 'a');
    await expect(read((process.getuid?.() ?? 0) + 1)).rejects.toThrow(/expected a plain file/);
  });
});
