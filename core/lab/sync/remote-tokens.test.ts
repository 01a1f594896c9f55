import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SecretBox } from '../../storage';
import { filesWithSecret } from '../../storage/test-support/secret-in-files';
import { RemoteTokens } from './remote-tokens';

const TOKEN = 'canary-of-a-remote-8d1f';
let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-remote-tokens-'));
  folder = join(root, 'lab', 'sync');
  mkdirSync(folder, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

async function box(name = 'key'): Promise<SecretBox> {
  const file = join(root, name);
  writeFileSync(file, Buffer.alloc(32, name));
  return (await SecretBox.find({ SLUICE_SECRETS_KEY_FILE: file }, folder))!;
}

describe('the token of a remote', () => {
  it('is held in memory where there is no key, and asked for again after a restart', async () => {
    const first = await RemoteTokens.open(folder, undefined);
    await first.put('cloud', { token: TOKEN });
    expect(await first.get('cloud')).toBe(TOKEN);
    expect(filesWithSecret(root, TOKEN)).toEqual([]);
    const second = await RemoteTokens.open(folder, undefined);
    expect(await second.has('cloud')).toBe(true);
    await expect(second.get('cloud')).rejects.toThrow(
      /token of the remote cloud was held in memory only, .*: add the remote again with --token-file/,
    );
  });

  it('outlives a restart under a key, and is not read with another', async () => {
    const key = await box();
    await (await RemoteTokens.open(folder, key)).put('cloud', { token: TOKEN });
    expect(filesWithSecret(folder, TOKEN)).toEqual([]);
    expect(await (await RemoteTokens.open(folder, key)).get('cloud')).toBe(TOKEN);
    for (const other of [await box('other'), undefined]) {
      await expect((await RemoteTokens.open(folder, other)).get('cloud')).rejects.toThrow(
        /locked with another key/,
      );
    }
  });

  it('is read where the user keeps it, each time', async () => {
    const file = join(root, 'token');
    writeFileSync(file, `${TOKEN}\n`);
    const tokens = await RemoteTokens.open(folder, undefined);
    await tokens.put('cloud', { tokenFile: file });
    expect(await tokens.get('cloud')).toBe(TOKEN);
    writeFileSync(file, 'another');
    expect(await tokens.get('cloud')).toBe('another');
    writeFileSync(file, 'two words');
    await expect(tokens.get('cloud')).rejects.toThrow(/expected one token without spaces/);
    rmSync(file);
    await expect(tokens.get('cloud')).rejects.toThrow(/can't be read from its file: ENOENT/);
    await expect(tokens.put('cloud', { tokenFile: 'token' })).rejects.toThrow(/expected an absolute path/);
  });

  it.each([true, false])(
    'that an earlier version wrote down is taken over and removed (a key: %s)',
    async (isKept) => {
      writeFileSync(join(folder, 'cloud.token'), TOKEN);
      const key = isKept ? await box() : undefined;
      const tokens = await RemoteTokens.open(folder, key);
      expect(await tokens.get('cloud')).toBe(TOKEN);
      expect(existsSync(join(folder, 'cloud.token'))).toBe(false);
      expect(filesWithSecret(folder, TOKEN)).toEqual([]);
    },
  );

  it('goes with its remote', async () => {
    const tokens = await RemoteTokens.open(folder, undefined);
    await tokens.put('cloud', { token: TOKEN });
    await tokens.remove('cloud');
    expect(await tokens.get('cloud')).toBeUndefined();
    writeFileSync(join(folder, 'cloud.json'), 'rubbish');
    await expect(tokens.get('cloud')).rejects.toMatchObject({ code: 'io' });
    expect(readFileSync(join(folder, 'cloud.json'), 'utf8')).toBe('rubbish');
  });
});
