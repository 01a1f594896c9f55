import { chownSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { isoTime } from '../host-clock';
import type { HostClock } from '../host-clock';
import { ioError, writeFileAtomic } from '../../storage';
import { hashOf, newToken } from './access-tokens';
import type { TokenHash } from './access-tokens';

const FILE_VERSION = 1;
const keptSchema = z.object({
  version: z.literal(FILE_VERSION),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.string(),
});
export type Kept = z.infer<typeof keptSchema>;

/** The token of a data folder. Only its hash is on disk: it is shown once, when it is made. */
export class KeptToken {
  private seen: { readonly stamp: string; readonly kept: Kept } | undefined;
  readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'host', 'token.json');
  }

  /**
   * Undefined where none was made. Read again when the file was replaced.
   * @throws SluiceError `io`; `bad-input` when the file is not ours: a host must not open without it.
   */
  read(): Kept | undefined {
    let text: string;
    try {
      const { mtimeMs, ino, size } = statSync(this.path);
      const stamp = `${mtimeMs} ${ino} ${size}`;
      if (this.seen?.stamp === stamp) return this.seen.kept;
      text = readFileSync(this.path, 'utf8');
      this.seen = { stamp, kept: this.parsed(text) };
      return this.seen.kept;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw ioError(`Can't read ${this.path}`, cause);
    }
  }

  readonly hash = (): TokenHash | undefined => this.read()?.sha256;

  /** Makes a token in place of the one before, which opens nothing from then on. @throws SluiceError `io`. */
  async replace(clock: HostClock): Promise<string> {
    const token = newToken();
    const kept: Kept = {
      version: FILE_VERSION,
      sha256: hashOf(token),
      createdAt: isoTime(clock.nowMs()),
    };
    const folder = dirname(this.path);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw ioError(`Can't create ${folder}`, cause);
    }
    await writeFileAtomic(this.path, `${JSON.stringify(kept)}\n`, 0o600);
    giveToOwnerOf(dirname(folder), [folder, this.path]);
    return token;
  }

  private parsed(text: string): Kept {
    try {
      return keptSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new SluiceError(
        'bad-input',
        `${this.path}: expected what "sluice host token" wrote, found something else. Remove it and make a new token.`,
        { path: this.path },
        { cause },
      );
    }
  }
}

/** Root makes a token for a service: its user must be able to read it. */
function giveToOwnerOf(dataDir: string, paths: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dataDir);
  for (const path of paths) chownSync(path, uid, gid);
}
