import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openSecretFile } from './secret-file';
import { createSecretKeeper } from './secret-keeper';
import type { SecretKeeper, TokenCipher } from './secret-keeper';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
  path = join(folder, 'endpoint-tokens.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A keychain with a key of its own: decrypts its own ciphertexts only. */
function keychain(key = 1, mark = 'v11'): TokenCipher {
  const turned = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ (0x80 + key)));
  return {
    isEncryptionAvailable: () => true,
    encryptString: (text) => Buffer.concat([Buffer.from(mark), Buffer.of(key), turned(Buffer.from(text))]),
    decryptString: (ciphertext) => {
      if (ciphertext[3] !== key) throw new Error('the key is another one');
      return turned(ciphertext.subarray(4)).toString();
    },
  };
}

const NO_KEYCHAIN: TokenCipher = {
  isEncryptionAvailable: () => false,
  // As Electron 25 does without a keyring.
  encryptString: () => {
    throw new Error('Encryption is not available.');
  },
  decryptString: () => {
    throw new Error('Decryption is not available.');
  },
};

function keeper(
  cipher: TokenCipher,
  platform: NodeJS.Platform = 'linux',
): SecretKeeper & { readonly logged: string[] } {
  const logged: string[] = [];
  const file = openSecretFile(path);
  return {
    ...createSecretKeeper({ cipher, file, platform, log: (line) => logged.push(line) }),
    logged,
  };
}

const LINUX = /gnome-keyring or KWallet/;

/** [what, keychain, platform, why not] */
const STATES: readonly (readonly [string, TokenCipher, NodeJS.Platform, RegExp | undefined])[] = [
  ['a keyring of Electron 25', keychain(), 'linux', undefined],
  [
    'a keyring of later ones',
    { ...keychain(), getSelectedStorageBackend: () => 'gnome_libsecret' },
    'linux',
    undefined,
  ],
  ['Linux without a keyring', NO_KEYCHAIN, 'linux', LINUX],
  ['a fixed password', { ...keychain(), getSelectedStorageBackend: () => 'basic_text' }, 'linux', LINUX],
  ['a backend not known', { ...keychain(), getSelectedStorageBackend: () => 'unknown' }, 'linux', LINUX],
  ['a fixed password that nothing tells but its ciphertext', keychain(1, 'v10'), 'linux', LINUX],
  [
    'a keyring that fails',
    { ...NO_KEYCHAIN, isEncryptionAvailable: () => true },
    'linux',
    /Encryption is not available/,
  ],
  ['macOS, whose own ciphertexts begin with v10', keychain(1, 'v10'), 'darwin', undefined],
  ['Windows', keychain(1, 'v10'), 'win32', undefined],
  ['macOS with a locked keychain', NO_KEYCHAIN, 'darwin', /unlock it/],
];

describe('what is a keychain', () => {
  it.each(STATES)('%s', (_what, cipher, platform, reason) => {
    const { state, keep } = keeper(cipher, platform);
    if (reason === undefined) {
      expect(state()).toEqual({ available: true });
      keep('e', 'a-token');
      expect(readdirSync(folder)).toEqual(['endpoint-tokens.json']);
      return;
    }
    expect(state()).toEqual({ available: false, reason: expect.stringMatching(reason) as string });
    expect(() => keep('e', 'a-token')).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('kept tokens', () => {
  it('are those kept last, whatever was kept and forgotten, and never in plain text', () => {
    const id = fc.constantFrom('a', 'b', 'constructor', 'e-7.x:1');
    const step = fc.oneof(
      fc.record({ id, token: fc.stringMatching(/^#[\x21-\x7e]{8,40}$/) }),
      fc.record({ id, token: fc.constant(undefined) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        rmSync(path, { force: true });
        const expected = new Map<string, string>();
        for (const { id: endpoint, token } of steps) {
          if (token === undefined) {
            keeper(keychain()).forget(endpoint);
            expected.delete(endpoint);
          } else {
            keeper(keychain()).keep(endpoint, token);
            expected.set(endpoint, token);
          }
        }
        expect(keeper(keychain()).kept()).toEqual({ tokens: Object.fromEntries(expected), missing: [] });
        if (expected.size === 0) return;
        const written = readFileSync(path, 'latin1');
        for (const token of expected.values()) expect(written).not.toContain(token);
      }),
      { numRuns: 50 },
    );
  });

  it.skipIf(process.platform === 'win32')(
    'are for their owner alone, also after a crash while writing',
    () => {
      writeFileSync(`${path}.new`, 'half', { mode: 0o644 });
      keeper(keychain()).keep('e', 'a-token');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(folder)).toEqual(['endpoint-tokens.json']);
    },
  );

  it('of another key are missing, not lost for the others, and can be entered again', () => {
    keeper(keychain(1)).keep('old', 'first-token');
    const changed = keeper(keychain(2));
    changed.keep('new', 'second-token');
    expect(changed.kept()).toEqual({ tokens: { new: 'second-token' }, missing: ['old'] });
    expect(changed.logged).toEqual([
      expect.stringMatching(/endpoint old .*entered again: the key is another/),
    ]);
    // The old keyring is back: what was not replaced is too.
    expect(keeper(keychain(1)).kept()).toEqual({ tokens: { old: 'first-token' }, missing: ['new'] });
    changed.keep('old', 'third-token');
    expect(changed.kept()).toMatchObject({ tokens: { old: 'third-token' }, missing: [] });
  });

  it('without a keychain are all missing, and can be forgotten', () => {
    keeper(keychain()).keep('a', 'first-token');
    keeper(keychain()).keep('b', 'second-token');
    const without = keeper(NO_KEYCHAIN);
    expect(without.kept()).toEqual({ tokens: {}, missing: ['a', 'b'] });
    without.forget('a');
    without.forget('never kept');
    expect(keeper(keychain()).kept()).toEqual({ tokens: { b: 'second-token' }, missing: [] });
  });

  it.each([
    ['', 'empty'],
    ['{"version":1,"tokens":{', 'cut off'],
    ['{"version":0,"tokens":{}}', 'of no version there was'],
    ['{"version":1,"tokens":{"e":"no base64!"}}', 'not base64'],
    ['{"version":1,"tokens":{"e":7}}', 'of a wrong type'],
    ['[]', 'something else'],
  ])('a file %j (%s) is set aside and told, then tokens are kept again', (text) => {
    writeFileSync(path, text);
    const opened = keeper(keychain());
    expect(opened.kept()).toEqual({ tokens: {}, missing: [] });
    expect(opened.logged).toEqual([expect.stringContaining('set aside')]);
    expect(readFileSync(`${path}.unusable`, 'utf8')).toBe(text);
    opened.keep('e', 'a-token');
    expect(opened.kept().tokens).toEqual({ e: 'a-token' });
  });

  it('a file of a newer Sluice is left as it is: no tokens, and none is kept', () => {
    const text = '{"version":2,"tokens":{"e":"xyz"}}';
    writeFileSync(path, text);
    const opened = keeper(keychain());
    expect(opened.kept()).toEqual({ tokens: {}, missing: [] });
    expect(opened.logged).toEqual([
      expect.stringMatching(/endpoint-tokens.json .*has version 2.*newer Sluice/),
    ]);
    const refused = expect.objectContaining({ code: 'unsupported' }) as Error;
    expect(() => opened.keep('e', 'a-token')).toThrow(refused);
    expect(() => opened.forget('e')).toThrow(refused);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('a file that can not be read or written is told; the engine starts without tokens', () => {
    const full = (): never => {
      throw new Error('ENOSPC: no space left');
    };
    const file = { path, read: () => undefined, write: full, setAside: full };
    const logged: string[] = [];
    const parts = {
      cipher: keychain(),
      platform: 'linux' as const,
      log: (line: string) => logged.push(line),
    };
    expect(() => createSecretKeeper({ ...parts, file }).keep('e', 'a-token')).toThrow(
      expect.objectContaining({ code: 'io', message: expect.stringContaining(path) as string }),
    );
    const broken = createSecretKeeper({ ...parts, file: { ...file, read: full } });
    expect(broken.kept()).toEqual({ tokens: {}, missing: [] });
    expect(logged).toEqual([expect.stringMatching(/Can't read .*ENOSPC/)]);
  });
});
