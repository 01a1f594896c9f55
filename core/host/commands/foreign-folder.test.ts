import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { foreignFolderNote } from './foreign-folder';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-foreign-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('says nothing of an own folder, of one that is not there, and to users who are not root', () => {
  expect(foreignFolderNote(folder, process.getuid?.())).toBeUndefined();
  expect(foreignFolderNote(join(folder, 'none'), 0)).toBeUndefined();
  expect(foreignFolderNote(folder, 1000)).toBeUndefined();
});

it.skipIf(process.getuid?.() !== 0)('tells root whose folder it is, and what to do', () => {
  chownSync(folder, 65_534, 65_534);
  expect(foreignFolderNote(folder, 0)).toMatch(/belongs to the user with id 65534.* sudo -u '#65534' sluice/);
});
