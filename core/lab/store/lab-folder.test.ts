import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { takeLabFolder } from './lab-folder';

const folder = mkdtempSync(join(tmpdir(), 'sluice-lab-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('takeLabFolder', () => {
  it('refuses a second server on one folder, and takes it once the first is gone', async () => {
    const path = join(folder, 'deep', 'lab');
    const first = await takeLabFolder(path);
    await expect(takeLabFolder(path)).rejects.toThrow(`Another server serves the lab in ${path}`);
    await first.release();
    await (await takeLabFolder(path)).release();
  });

  it('takes over from a process that died', async () => {
    writeFileSync(join(folder, 'lab.lock'), '999999999-1');
    await (await takeLabFolder(folder)).release();
  });

  it('says what is wrong with a folder it cannot make', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(takeLabFolder(join(file, 'lab'))).rejects.toThrow(/Can't use .*file.lab as a lab's folder/);
  });
});
