import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { SecretBox } from '../../storage';
import type { LabDatabase } from '../store/lab-database';
import { wellFormed } from '../tracking/rows';
import { RemoteTokens } from './remote-tokens';
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

/** The remotes of a lab. Neither the database nor a dump of it has their tokens. */
export class RemoteStore {
  private constructor(
    private readonly database: LabDatabase,
    private readonly tokens: RemoteTokens,
    private readonly clock: Clock,
  ) {}

  /** @param folder of what is kept of tokens; made when missing. @throws SluiceError `io`. */
  static async open(
    database: LabDatabase,
    folder: string,
    { clock, box }: { readonly clock: Clock; readonly box: SecretBox | undefined },
  ): Promise<RemoteStore> {
    return new RemoteStore(database, await RemoteTokens.open(folder, box), clock);
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
  async put({ name, url: given, experiments, ...token }: NewRemote): Promise<Remote> {
    const url = parseRemoteUrl(given);
    const known = this.find(name);
    if (known && known.url !== url) {
      throw new SluiceError(
        'conflict',
        `The remote ${name} is ${known.url}. Choose another name for ${url}, or remove that one first.`,
      );
    }
    // A token without a remote does no harm; the other way round it would be asked without.
    await this.tokens.put(name, token);
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
    await this.tokens.remove(name);
  }

  /** @throws SluiceError as `RemoteTokens.has`. */
  hasToken(name: string): Promise<boolean> {
    return this.tokens.has(name);
  }

  /** @throws SluiceError as `RemoteTokens.get`. */
  tokenOf(name: string): Promise<string | undefined> {
    return this.tokens.get(name);
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
