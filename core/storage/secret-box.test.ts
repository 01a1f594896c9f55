import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SecretBox } from './secret-box';

let folder: string;
let data: string;
const keyFile = (name: string, bytes: number): string => {
  const file = join(folder, name);
  writeFileSync(file, Buffer.alloc(bytes, name));
  return file;
};
const open = async (file: string): Promise<SecretBox> =>
  (await SecretBox.find({ SLUICE_SECRETS_KEY_FILE: file }, data))!;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
  data = join(folder, 'data');
  mkdirSync(data);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a secret box', () => {
  it('gives back what it sealed, under the same key and name only', async () => {
    const [box, other] = [await open(keyFile('a', 32)), await open(keyFile('b', 40))];
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.nat(), (secret, name, at) => {
        const sealed = box.seal(name, secret);
        expect(box.unseal(name, sealed)).toBe(Buffer.from(secret).toString());
        expect(box.unseal(`${name}x`, sealed)).toBeUndefined();
        expect(other.unseal(name, sealed)).toBeUndefined();
        const bytes = Buffer.from(sealed.slice(3), 'base64');
        const changed = at % bytes.length;
        bytes[changed] = (bytes[changed] ?? 0) ^ 1;
        expect(box.unseal(name, `v1:${bytes.toString('base64')}`)).toBeUndefined();
      }),
    );
    expect(box.seal('n', 's')).not.toBe(box.seal('n', 's'));
    for (const text of ['', 'v1:', 'v1:AAAA', 'v2:AAAA']) expect(box.unseal('n', text)).toBeUndefined();
  });

  it('takes its key from a file or from systemd, or is not there', async () => {
    expect(await SecretBox.find({}, data)).toBeUndefined();
    expect(await SecretBox.find({ CREDENTIALS_DIRECTORY: folder }, data)).toBeUndefined();
    keyFile('sluice-secrets-key', 32);
    expect(await SecretBox.find({ CREDENTIALS_DIRECTORY: folder }, data)).toBeInstanceOf(SecretBox);
  });

  it.each([
    ['short', 31, /expected at least 32 random bytes, found 31\. Make one with/],
    ['data/beside', 32, /expected a key elsewhere than beside what it locks/],
  ])('refuses the key %s', async (name, bytes, message) => {
    await expect(open(keyFile(name, bytes))).rejects.toThrow(message);
  });

  it('names a key that is missing', async () => {
    await expect(open(join(folder, 'none'))).rejects.toThrow(
      /SLUICE_SECRETS_KEY_FILE .*there is no such file/,
    );
  });
});
