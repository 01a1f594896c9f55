import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { ioError, writeFileAtomic } from '../../storage';
import type { SecretBox } from '../../storage';

const TOKEN = /^[\x21-\x7e]+$/;
/** What earlier versions wrote: the token itself. */
const PLAIN = '.token';
const KEPT = '.json';

const keptSchema = z.union([
  /** Where the user keeps it. */
  z.strictObject({ tokenFile: z.string() }),
  z.strictObject({ sealed: z.string() }),
  /** It was given, and there was no key to lock it with. */
  z.strictObject({ inMemory: z.literal(true) }),
]);
type Kept = z.infer<typeof keptSchema>;

export interface GivenToken {
  readonly token?: string;
  readonly tokenFile?: string;
}

/** The tokens of remotes: none of them is written down as it is. */
export class RemoteTokens {
  private readonly held = new Map<string, string>();

  private constructor(
    private readonly folder: string,
    private readonly box: SecretBox | undefined,
  ) {}

  /**
   * Takes over tokens that an earlier version wrote down, and removes those files.
   * @param folder made when missing. @throws SluiceError `io`.
   */
  static async open(folder: string, box: SecretBox | undefined): Promise<RemoteTokens> {
    const tokens = new RemoteTokens(folder, box);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const file of await readdir(folder)) {
        if (!file.endsWith(PLAIN)) continue;
        await tokens.put(file.slice(0, -PLAIN.length), { token: await readFile(join(folder, file), 'utf8') });
        await rm(join(folder, file), { force: true });
      }
    } catch (cause) {
      throw cause instanceof SluiceError ? cause : ioError(`Can't keep tokens in ${folder}`, cause);
    }
    return tokens;
  }

  /** @throws SluiceError `bad-input` (a file that is no absolute path), `io`. */
  async put(name: string, { token, tokenFile }: GivenToken): Promise<void> {
    this.held.delete(name);
    if (tokenFile !== undefined) {
      if (!isAbsolute(tokenFile)) {
        throw new SluiceError('bad-input', `tokenFile: expected an absolute path, found ${tokenFile}.`);
      }
      await this.write(name, { tokenFile });
    } else if (token === undefined) await this.remove(name);
    else if (this.box) await this.write(name, { sealed: this.box.seal(name, token) });
    else {
      this.held.set(name, token);
      await this.write(name, { inMemory: true });
    }
  }

  /** @throws SluiceError `io`. */
  async remove(name: string): Promise<void> {
    this.held.delete(name);
    await rm(this.fileOf(name), { force: true }).catch((cause: unknown) => {
      throw ioError(`Can't remove ${this.fileOf(name)}`, cause);
    });
  }

  /** Whether one was given, there or not. @throws SluiceError `io`. */
  async has(name: string): Promise<boolean> {
    return (await this.kept(name)) !== undefined;
  }

  /** @throws SluiceError `unauthorized` when it has to be given again, `io`. */
  async get(name: string): Promise<string | undefined> {
    const kept = await this.kept(name);
    if (kept === undefined) return undefined;
    if ('tokenFile' in kept) return tokenIn(name, kept.tokenFile);
    const token = 'sealed' in kept ? this.box?.unseal(name, kept.sealed) : this.held.get(name);
    if (token !== undefined) return token;
    const why =
      'sealed' in kept
        ? 'was locked with another key than SLUICE_SECRETS_KEY_FILE names now'
        : 'was held in memory only, and the lab was started again since';
    throw new SluiceError(
      'unauthorized',
      `The token of the remote ${name} ${why}: add the remote again with --token-file.`,
      { name },
    );
  }

  private async kept(name: string): Promise<Kept | undefined> {
    try {
      return keptSchema.parse(JSON.parse(await readFile(this.fileOf(name), 'utf8')));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw ioError(`Can't read ${this.fileOf(name)}`, cause);
    }
  }

  private async write(name: string, kept: Kept): Promise<void> {
    await writeFileAtomic(this.fileOf(name), JSON.stringify(kept));
  }

  private fileOf(name: string): string {
    return join(this.folder, `${name}${KEPT}`);
  }
}

async function tokenIn(name: string, file: string): Promise<string> {
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'unauthorized',
      `The token of the remote ${name} can't be read from its file: ${reason}. Put it back, or add the remote again.`,
      { name },
      { cause },
    );
  });
  const token = content.trim();
  if (TOKEN.test(token)) return token;
  throw new SluiceError(
    'unauthorized',
    `The token of the remote ${name}: expected one token without spaces in ${file}.`,
    { name },
  );
}
