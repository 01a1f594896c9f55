import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bytesUnder, checkLibraries, foreignFiles } from './contents.mjs';

let folder;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-contents-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(path, head) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  const content = Buffer.alloc(100);
  Buffer.from(head, 'hex').copy(content);
  writeFileSync(join(folder, path), content);
}

const elf = (machine) => `7f454c46${'00'.repeat(14)}${machine}00`;

it('finds what is made for another platform by its content, and by the name of native packages', () => {
  put('sluice', elf('3e'));
  put('lib/own.node', elf('3e'));
  put('lib/musl_x64/own.node', elf('3e'));
  put('lib/arm.node', elf('b7'));
  put('lib/harmless.txt', '4d5a90'.padEnd(40, '0'));
  put('lib/universal.bin', 'cafebabe');
  put('lib/apple.node', 'cffaedfe');
  put('lib/darwin-notes.txt', '23');
  writeFileSync(join(folder, 'short'), 'MZ');
  expect([...foreignFiles(folder, { arch: 'x64' })].sort()).toEqual([
    'lib/apple.node: Mach-O of another kind',
    'lib/arm.node: ELF arm64',
    'lib/harmless.txt: PE of another kind',
    'lib/musl_x64/own.node: by its name',
    'lib/universal.bin: Mach-O universal',
  ]);
  expect(bytesUnder(folder)).toBe(802);
  expect(() => checkLibraries(folder, { arch: 'x64', platform: 'linux' })).toThrow(
    /lib\/arm\.node: ELF arm64/,
  );
});
