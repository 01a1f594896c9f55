import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { ioError, writeFileAtomic } from '../../storage';
import type { LabDatabase } from '../store/lab-database';
import { wellFormed } from '../tracking/rows';
import { parseRemoteUrl, type NewRemote, type Remote, type RemoteKind } from './remote-types';

const COLUMNS = 'number, name, url, experiments, kind, lab_id, succeeded_ms, failed_ms, error';
type Row = [
  number,
  string,
  string,
  string | null,
  RemoteKind | null,
  string | null,
  number | null,
  number | null,
  string | null,
];

/**
 * The remotes of a lab. Their tokens are files of their own (mode 0600, in a folder of mode 0700), so that neither the
 * database nor a dump of it has them.
 */
export class RemoteStore {
  private constructor(
    private readonly database: LabDatabase,
    private readonly folder: string,
    private readonly clock: Clock,
  ) {}

  /** @param folder of the tokens; made when missing. @throws SluiceError `io`. */
  static async open(database: LabDatabase, folder: string, clock: Clock): Promise<RemoteStore> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw ioError(`Can't keep tokens in ${folder}`, cause);
    }
    return new RemoteStore(database, folder, clock);
  }

  list(): readonly Remote[] {
    const rows = this.database
      .prepare(`SELECT ${COLUMNS} FROM sync_remotes ORDER BY name`)
      .raw()
      .all([]) as Row[];
    return rows.map(remoteOf);
  }

  /** @throws SluiceError `not-found`. */
  get(name: string): Remote {
    const remote = this.find(name);
    if (remote) return remote;
    throw new SluiceError(
      'not-found',
      `There is no remote ${JSON.stringify(name)}. "sluice lab sync list" names them.`,
    );
  }

  /**
   * Adds a remote, or gives one of that name and URL another token and other experiments.
   * @throws SluiceError `bad-input` (its URL), `conflict` (the name stands for another URL), `io`.
   */
  async put({ name, url: given, token, experiments }: NewRemote): Promise<Remote> {
    const url = parseRemoteUrl(given);
    const known = this.find(name);
    if (known && known.url !== url) {
      throw new SluiceError(
        'conflict',
        `The remote ${name} is ${known.url}. Choose another name for ${url}, or remove that one first.`,
      );
    }
    // A token without a remote does no harm; the other way round it would be asked without.
    await this.writeToken(name, token);
    const names = experiments ? JSON.stringify(experiments.map(wellFormed)) : null;
    this.database.transaction(() => {
      this.database
        .prepare(
          'INSERT INTO sync_remotes (name, url, experiments) VALUES (?, ?, ?) ' +
            'ON CONFLICT (name) DO UPDATE SET experiments = excluded.experiments',
        )
        .run([name, url, names]);
      // Those that were made while nobody kept account.
      this.database.prepare('INSERT OR IGNORE INTO sync_changes SELECT number, 0 FROM tracking_runs').run([]);
    });
    return this.get(name);
  }

  /** What it has stays there. @throws SluiceError `not-found`, `io`. */
  async remove(name: string): Promise<void> {
    const { number } = this.get(name);
    this.database.prepare('DELETE FROM sync_remotes WHERE number = ?').run([number]);
    await rm(this.tokenFile(name), { force: true }).catch((cause: unknown) => {
      throw ioError(`Can't remove ${this.tokenFile(name)}`, cause);
    });
  }

  /** @throws SluiceError `io`. */
  async tokenOf(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.tokenFile(name), 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw ioError(`Can't read ${this.tokenFile(name)}`, cause);
    }
  }

  reached({ number }: Remote, kind: RemoteKind, labId: string | undefined): void {
    this.database
      .prepare('UPDATE sync_remotes SET kind = ?, lab_id = ? WHERE number = ?')
      .run([kind, labId ?? null, number]);
  }

  succeeded({ number }: Remote): void {
    this.database
      .prepare('UPDATE sync_remotes SET succeeded_ms = ? WHERE number = ?')
      .run([this.nowMs(), number]);
  }

  failed({ number }: Remote, message: string): void {
    this.database
      .prepare('UPDATE sync_remotes SET failed_ms = ?, error = ? WHERE number = ?')
      .run([this.nowMs(), wellFormed(message), number]);
  }

  private find(name: string): Remote | undefined {
    const [row] = this.database
      .prepare(`SELECT ${COLUMNS} FROM sync_remotes WHERE name = ?`)
      .raw()
      .all([name]) as Row[];
    return row && remoteOf(row);
  }

  private async writeToken(name: string, token: string | undefined): Promise<void> {
    const file = this.tokenFile(name);
    if (token === undefined) {
      await rm(file, { force: true });
      return;
    }
    await writeFileAtomic(file, token);
    await chmod(file, 0o600);
  }

  private tokenFile(name: string): string {
    return join(this.folder, `${name}.token`);
  }

  private nowMs(): number {
    return Math.floor(this.clock.nowMs());
  }
}

function remoteOf(row: Row): Remote {
  const [number, name, url, experiments, kind, labId, succeededMs, failedMs, error] = row;
  return {
    number,
    name,
    url,
    experiments: experiments === null ? undefined : (JSON.parse(experiments) as string[]),
    kind: kind ?? undefined,
    labId: labId ?? undefined,
    succeededMs: succeededMs ?? undefined,
    failedMs: failedMs ?? undefined,
    error: error ?? undefined,
  };
}
