import { formatBytes } from '../../../base';
import { SluiceError } from '../../../contract';
import type { LabDatabase } from '../../store/lab-database';
import { totalsOf } from '../tree/manifest';
import { shownPath } from '../tree/safe-path';
import type { LongWork, TreeStore } from '../tree/tree-store';
import { walkTree, type WalkedEntry, type WalkedTree } from '../tree/walk-tree';
import { IGNORE_FILE, ignoreRulesOf } from './ignore-rules';

/** Code is small: more is mostly data that was forgotten in the folder. */
const DEFAULT_LIMIT_BYTES = 256 * 2 ** 20;
const LARGEST_NAMED = 5;

/** A working folder as a run got it. */
export interface Snapshot {
  readonly hash: string;
  readonly files: number;
  readonly bytes: number;
}

export interface SnapshotOptions extends LongWork {
  /** Of all files together. Default 256 MiB. */
  readonly limitBytes?: number;
}

/** Working folders of runs, in the chunks of the datasets: an unchanged one takes no room. */
export class Snapshots {
  constructor(
    private readonly database: LabDatabase,
    private readonly trees: TreeStore,
  ) {}

  /**
   * Packs a folder but for what `.sluiceignore` names, and keeps it for a holder (a run's id) until `drop`.
   * @throws SluiceError `bad-input` (links that leave the folder, too large: names the largest files), `io`, `cancelled`.
   */
  async take(folder: string, holder: string, options: SnapshotOptions = {}): Promise<Snapshot> {
    const { limitBytes = DEFAULT_LIMIT_BYTES, ...work } = options;
    const tree = await walkTree(folder, { isIgnored: await ignoreRulesOf(folder), signal: work.signal });
    refuseLarge(tree, limitBytes);
    return this.trees.keep(
      tree,
      [],
      ({ manifest, sealed: { hash } }) => {
        const snapshot = { hash, ...totalsOf(manifest) };
        this.record(holder, snapshot);
        return snapshot;
      },
      work,
    );
  }

  /** What a holder keeps. */
  of(holder: string): Snapshot | undefined {
    const [row] = this.database
      .prepare('SELECT manifest AS hash, files, bytes FROM datasets_snapshots WHERE holder = ?')
      .all(holder) as Snapshot[];
    return row && { hash: row.hash, files: row.files, bytes: row.bytes };
  }

  /** Keeps the snapshot of one holder for another too: a fork. @throws SluiceError `not-found`. */
  share(from: string, to: string): Snapshot {
    const snapshot = this.found(from);
    this.record(to, snapshot);
    return snapshot;
  }

  /**
   * Writes the folder again: modes, empty folders and links as they were.
   * @param folder must not be there, or be empty. @throws SluiceError `not-found`, `conflict`, `corrupt-store`, `io`,
   * `cancelled`.
   */
  async restore(holder: string, folder: string, work: LongWork = {}): Promise<void> {
    const { hash } = this.found(holder);
    await this.trees.use(hash, (manifest) => this.trees.restore(manifest, folder, work));
  }

  /** Its chunks are collected when nothing else refers to them. */
  drop(holder: string): void {
    this.database.prepare('DELETE FROM datasets_snapshots WHERE holder = ?').run(holder);
  }

  private found(holder: string): Snapshot {
    const snapshot = this.of(holder);
    if (snapshot) return snapshot;
    throw new SluiceError('not-found', `There is no snapshot of a working folder for ${holder}.`, { holder });
  }

  private record(holder: string, { hash, files, bytes }: Snapshot): void {
    const createdMs = Math.floor(this.trees.chunks.clock.nowMs());
    this.database.transaction(() => {
      this.database
        .prepare('INSERT OR REPLACE INTO datasets_snapshots VALUES (?, ?, ?, ?, ?)')
        .run(holder, hash, files, bytes, createdMs);
    });
    this.database.flush();
  }
}

function refuseLarge({ root, entries }: WalkedTree, limitBytes: number): void {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (bytes <= limitBytes) return;
  const largest = [...entries].sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST_NAMED);
  const named = largest.map((entry: WalkedEntry) => `${shownPath(entry.path)} (${formatBytes(entry.bytes)})`);
  throw new SluiceError(
    'bad-input',
    `${root}: expected at most ${formatBytes(limitBytes)} in a run's folder, found ${formatBytes(bytes)}. ` +
      `The largest: ${named.join(', ')}. Name what the run doesn't need in ${IGNORE_FILE}, or push data as a dataset.`,
    { bytes, limitBytes, largest: largest.map(({ path }) => path) },
  );
}
