import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';

import { SluiceError } from '../contract';
import { ioError } from './atomic-file';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1:';
/** What a systemd unit calls it: `LoadCredentialEncrypted=sluice-secrets-key:...`. */
const CREDENTIAL = 'sluice-secrets-key';

/** Encrypts secrets for the disk (AES-256-GCM) under a key that is kept elsewhere. */
export class SecretBox {
  private constructor(private readonly key: Buffer) {}

  /**
   * The key is a file that the user names (`SLUICE_SECRETS_KEY_FILE`) or a credential of systemd; undefined where there is
   * neither: secrets are then held in memory only.
   * @param folder where sealed secrets will stand. @throws SluiceError `bad-input` (too short a key, or one beside them),
   * `not-found`, `io`.
   */
  static async find(env: NodeJS.ProcessEnv, folder: string): Promise<SecretBox | undefined> {
    const { SLUICE_SECRETS_KEY_FILE: named, CREDENTIALS_DIRECTORY: credentials } = env;
    if (named !== undefined && named !== '') return SecretBox.open(resolve(named), folder);
    if (credentials === undefined || credentials === '') return undefined;
    return SecretBox.open(join(credentials, CREDENTIAL), folder).catch((thrown: unknown) => {
      if (SluiceError.from(thrown).code === 'not-found') return undefined;
      throw thrown;
    });
  }

  private static async open(file: string, folder: string): Promise<SecretBox> {
    const what = `SLUICE_SECRETS_KEY_FILE ${file}`;
    const content = await readFile(file).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't read ${what}`, cause);
      throw new SluiceError('not-found', `${what}: there is no such file.`, { path: file }, { cause });
    });
    if (content.byteLength < KEY_BYTES) {
      throw new SluiceError(
        'bad-input',
        `${what}: expected at least ${KEY_BYTES} random bytes, found ${content.byteLength}. ` +
          `Make one with: head -c 32 /dev/urandom > FILE`,
        { path: file },
      );
    }
    const real = await realpath(file);
    if (real.startsWith((await realpath(folder).catch(() => resolve(folder))) + sep)) {
      throw new SluiceError(
        'bad-input',
        `${what}: expected a key elsewhere than beside what it locks, found it in ${folder}. Move it.`,
        { path: file },
      );
    }
    return new SecretBox(Buffer.from(hkdfSync('sha256', content, '', 'sluice secrets v1', KEY_BYTES)));
  }

  /** @param name of the secret: what is sealed under one name can't be read under another. */
  seal(name: string, secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** @returns undefined when it was sealed with another key, under another name, or was changed since. */
  unseal(name: string, sealed: string): string | undefined {
    const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64');
    if (!sealed.startsWith(VERSION) || bytes.byteLength < NONCE_BYTES + TAG_BYTES) return undefined;
    try {
      const body = NONCE_BYTES + TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, this.key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(NONCE_BYTES, body));
      return Buffer.concat([decipher.update(bytes.subarray(body)), decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}
