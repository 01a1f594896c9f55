import { z } from 'zod';

import { isNewerStore, refuseNewer, SluiceError } from '../core/contract';
import type { KeychainState } from '../core/contract';

/** As much of Electron's safeStorage as is used: its synchronous half, which the oldest Electron in use has too. */
export interface TokenCipher {
  readonly isEncryptionAvailable: () => boolean;
  /** Linux only, since Electron 26. */
  readonly getSelectedStorageBackend?: () => string;
  readonly encryptString: (text: string) => Buffer;
  /** @throws when the ciphertext is not of the present key. */
  readonly decryptString: (ciphertext: Buffer) => string;
}

/** Where ciphertexts are written down. */
export interface SecretFile {
  readonly path: string;
  /** @returns undefined when there is none. @throws on I/O errors. */
  readonly read: () => string | undefined;
  /** Replaces it as a whole; others may not read it. @throws on I/O errors. */
  readonly write: (text: string) => void;
  /** Keeps what can't be used under another name. */
  readonly setAside: () => void;
}

export interface SecretKeeperParts {
  readonly cipher: TokenCipher;
  readonly file: SecretFile;
  readonly platform: NodeJS.Platform;
  readonly log: (message: string) => void;
}

/** What an engine is given when it starts: never written anywhere. */
export interface KeptTokens {
  readonly tokens: Readonly<Record<string, string>>;
  /** Endpoints with a token that can't be decrypted any more. */
  readonly missing: readonly string[];
}

/** Endpoints' tokens on disk, encrypted by the operating system's keychain. */
export interface SecretKeeper {
  readonly state: () => KeychainState;
  /** @throws SluiceError `unsupported` where there is no keychain; `io`. */
  readonly keep: (endpointId: string, token: string) => void;
  /** Works without a keychain too. @throws SluiceError `io`. */
  readonly forget: (endpointId: string) => void;
  /** Never throws: an engine must start without its tokens too. */
  readonly kept: () => KeptTokens;
}

/** Of ids, so that none can be a name of Object's prototype. */
export const ENDPOINT_ID_PATTERN = /^[A-Za-z0-9][\w.:-]*$/;

const FILE_VERSION = 1;
const fileSchema = z.strictObject({
  version: z.literal(FILE_VERSION),
  /** Base64 of the ciphertext by endpoint. */
  tokens: z.record(z.string().regex(ENDPOINT_ID_PATTERN), z.base64().min(1)),
});
type Ciphertexts = z.infer<typeof fileSchema>['tokens'];

/** Backends by which Chromium says that it encrypts with a password that stands in its source. */
const PLAIN_TEXT_BACKENDS = ['basic_text', 'unknown'];
/** What such ciphertexts begin with on Linux; those of a keyring's key begin otherwise. */
const PLAIN_TEXT_MARK = Buffer.from('v10');

const IN_MEMORY = 'Until then tokens are held in memory only and must be entered again after a restart.';
const LINUX_ADVICE =
  'Install and unlock gnome-keyring or KWallet, then start Sluice again from that desktop session (on a desktop ' +
  `Electron does not know, with --password-store=gnome-libsecret). ${IN_MEMORY}`;

export function createSecretKeeper(parts: SecretKeeperParts): SecretKeeper {
  const { cipher, log } = parts;
  const state = (): KeychainState => keychainState(parts);
  return {
    state,
    keep: (endpointId, token) => {
      const { reason } = state();
      if (reason !== undefined) throw new SluiceError('unsupported', reason);
      const ciphertext = cipher.encryptString(token);
      if (isPlainText(parts, ciphertext)) throw new SluiceError('unsupported', plainTextReason());
      writeCiphertexts(parts, { ...usable(parts), [endpointId]: ciphertext.toString('base64') });
    },
    forget: (endpointId) => {
      const all = usable(parts);
      const { [endpointId]: _forgotten, ...others } = all;
      if (Object.hasOwn(all, endpointId)) writeCiphertexts(parts, others);
    },
    kept: () => {
      try {
        return decrypted(parts);
      } catch (thrown) {
        log(SluiceError.from(thrown).message);
        return { tokens: {}, missing: [] };
      }
    },
  };
}

function keychainState(parts: SecretKeeperParts): KeychainState {
  const reason = refusal(parts);
  return reason === undefined ? { available: true } : { available: false, reason };
}

/** Asked anew each time: a keyring may be unlocked meanwhile. */
function refusal(parts: SecretKeeperParts): string | undefined {
  const { cipher, platform } = parts;
  try {
    if (!cipher.isEncryptionAvailable()) {
      return platform === 'linux'
        ? `No keyring can be reached. ${LINUX_ADVICE}`
        : `The operating system's keychain can't be reached: unlock it and try again. ${IN_MEMORY}`;
    }
    if (platform !== 'linux') return undefined;
    const backend = cipher.getSelectedStorageBackend?.();
    if (backend !== undefined && PLAIN_TEXT_BACKENDS.includes(backend)) return plainTextReason(backend);
    return isPlainText(parts, cipher.encryptString('probe')) ? plainTextReason() : undefined;
  } catch (thrown) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown);
    return `The keychain failed: ${problem} ${platform === 'linux' ? LINUX_ADVICE : IN_MEMORY}`;
  }
}

function plainTextReason(backend?: string): string {
  const found = backend === undefined ? '' : ` (storage backend "${backend}")`;
  return `No keyring is in use${found}: tokens would be encrypted with a password that everybody knows. ${LINUX_ADVICE}`;
}

function isPlainText({ platform }: SecretKeeperParts, ciphertext: Buffer): boolean {
  return platform === 'linux' && ciphertext.subarray(0, PLAIN_TEXT_MARK.byteLength).equals(PLAIN_TEXT_MARK);
}

function decrypted(parts: SecretKeeperParts): KeptTokens {
  const { cipher, log } = parts;
  const tokens: Record<string, string> = {};
  const missing: string[] = [];
  for (const [id, base64] of Object.entries(usable(parts))) {
    try {
      tokens[id] = cipher.decryptString(Buffer.from(base64, 'base64'));
    } catch (thrown) {
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      log(`the token of endpoint ${id} can't be decrypted and must be entered again: ${problem}`);
      missing.push(id);
    }
  }
  return { tokens, missing };
}

/**
 * A file that is none of ours is set aside, so that tokens can be kept again.
 * @throws SluiceError `io`, `unsupported` when a newer Sluice wrote it.
 */
function usable(parts: SecretKeeperParts): Ciphertexts {
  const { file, log } = parts;
  const text = ioChecked(parts, "Can't read", file.read);
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    refuseNewer(value, 'version', { path: file.path, what: 'kept tokens', known: FILE_VERSION });
    return fileSchema.parse(value).tokens;
  } catch (thrown) {
    if (isNewerStore(thrown)) throw thrown;
    log(`${file.path} does not hold kept tokens; it was set aside and tokens must be entered again`);
    ioChecked(parts, "Can't set aside", file.setAside);
    return {};
  }
}

function writeCiphertexts(parts: SecretKeeperParts, tokens: Ciphertexts): void {
  ioChecked(parts, "Can't write", () => parts.file.write(JSON.stringify({ version: FILE_VERSION, tokens })));
}

function ioChecked<T>({ file }: SecretKeeperParts, what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'io',
      `${what} ${file.path}: ${problem}. Check who owns the folder, and its free space.`,
      { path: file.path },
      { cause },
    );
  }
}
