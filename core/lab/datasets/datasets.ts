import { SluiceError } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import { collectChunks, type Collected } from './chunks/collect-chunks';
import { DatasetCatalog } from './dataset-catalog';
import type { Dataset, DatasetEdit, DatasetUser, DatasetVersion } from './dataset-types';
import {
  chunksIn,
  isHidden,
  sealManifest,
  totalsOf,
  withoutHidden,
  type Manifest,
  type SealedManifest,
} from './tree/manifest';
import { diffManifests, type ManifestDiff } from './tree/manifest-diff';
import type { DamagedChunk, LongWork, TreeStore } from './tree/tree-store';
import { walkTree } from './tree/walk-tree';

export interface PushOptions extends DatasetEdit, LongWork {
  /** What the version is about. */
  readonly note?: string;
  /** Folders that only evaluators get, `hidden/` for example. */
  readonly hidden?: readonly string[];
}

export interface Pushed {
  readonly version: DatasetVersion;
  /** Of what the store did not have yet. */
  readonly newChunks: number;
  readonly newBytes: number;
}

export interface ReadAccess {
  /** Hidden parts too; refused to all but evaluators and the owner. */
  readonly withHidden?: boolean;
}

export interface DatasetFile {
  readonly path: string;
  readonly bytes: number;
  /** Only evaluators and the owner get it. */
  readonly isHidden: boolean;
}

/** The lab's datasets: versions of folders by content, each seen by those who may. */
export class Datasets {
  readonly catalog: DatasetCatalog;
  private collecting: Promise<unknown> = Promise.resolve();

  constructor(
    database: LabDatabase,
    readonly trees: TreeStore,
  ) {
    this.catalog = new DatasetCatalog(database, () => trees.chunks.clock.nowMs());
  }

  /**
   * Makes a file or a folder the next version of a dataset, which begins with the first; an unchanged one gives the
   * version that is there.
   * @throws SluiceError `not-found`, `bad-input`, `conflict` (another's name; a file changes meanwhile), `io`, `cancelled`.
   */
  async push(user: DatasetUser, name: string, source: string, options: PushOptions = {}): Promise<Pushed> {
    const { note = '', hidden = [], signal, onProgress, ...edit } = options;
    this.catalog.checkPush(user, name);
    const tree = await walkTree(source, { signal });
    refuseUnused(hidden, tree.entries, source);
    return this.trees.keep(
      tree,
      hidden,
      ({ manifest, sealed, newChunks, newBytes }) => {
        const version = this.catalog.addVersion(user, name, describeVersion(manifest, sealed, note), edit);
        return { version, newChunks, newBytes };
      },
      { signal, onProgress },
    );
  }

  list(user: DatasetUser, text?: string): Dataset[] {
    return this.catalog.list(user, text);
  }

  /** @throws SluiceError `not-found` with the names that there are. */
  get(user: DatasetUser, name: string): Dataset {
    return this.catalog.get(user, name);
  }

  /**
   * The files of a version that a user may see.
   * @throws SluiceError `not-found`, `unauthorized` (hidden parts), `corrupt-store`, `io`.
   */
  async manifest(
    user: DatasetUser,
    name: string,
    version: string,
    access: ReadAccess = {},
  ): Promise<Manifest> {
    return this.use(user, name, version, access, (manifest) => Promise.resolve(manifest));
  }

  /**
   * Reads from a version's files: they are there until the work is done, also when the version is removed meanwhile.
   * @throws as `manifest`, what the work throws.
   */
  async use<T>(
    user: DatasetUser,
    name: string,
    version: string,
    access: ReadAccess,
    work: (manifest: Manifest) => Promise<T>,
  ): Promise<T> {
    const { hash } = this.catalog.version(user, name, version);
    if (access.withHidden) this.checkHidden(user, name);
    return this.trees.use(hash, (manifest) => work(access.withHidden ? manifest : withoutHidden(manifest)));
  }

  /** The files of a version that a user may see; hidden ones for evaluators and the owner. @throws as `manifest`. */
  async files(user: DatasetUser, name: string, version: string): Promise<readonly DatasetFile[]> {
    const withHidden = this.maySeeHidden(user, name);
    const { entries, hidden } = await this.manifest(user, name, version, { withHidden });
    return entries.flatMap((entry) => {
      if (entry.type !== 'file') return [];
      const { path, bytes } = entry;
      return [{ path, bytes, isHidden: isHidden(path, hidden) }];
    });
  }

  /** What changed from one version to another, without hidden parts. @throws as `manifest`. */
  async diff(user: DatasetUser, name: string, from: string, to: string): Promise<ManifestDiff> {
    return diffManifests(await this.manifest(user, name, from), await this.manifest(user, name, to));
  }

  /**
   * Reads every chunk of a version again.
   * @returns what is damaged or missing; pushing the same files again heals it. @throws SluiceError `not-found`, `io`,
   * `unauthorized`, `cancelled`, `corrupt-store` when the list of files itself is damaged.
   */
  async verify(
    user: DatasetUser,
    name: string,
    version: string,
    work: LongWork = {},
  ): Promise<DamagedChunk[]> {
    this.catalog.owned(user, name);
    return this.use(user, name, version, { withHidden: true }, (manifest) =>
      this.trees.verify(manifest, work),
    );
  }

  /**
   * Writes a version as a new folder of its own, hidden parts left out unless asked for.
   * @param folder must not be there, or be empty. @throws SluiceError `not-found`, `unauthorized`, `conflict`,
   * `corrupt-store`, `io`, `cancelled`.
   */
  async materialise(
    user: DatasetUser,
    name: string,
    version: string,
    folder: string,
    options: ReadAccess & LongWork & { readonly isReadOnly?: boolean } = {},
  ): Promise<void> {
    const { withHidden = false, ...rest } = options;
    await this.use(user, name, version, { withHidden }, (manifest) =>
      this.trees.restore(manifest, folder, rest),
    );
  }

  /** Files that no other version shares are deleted by `collect`. @throws SluiceError `not-found`, `unauthorized`. */
  removeVersion(user: DatasetUser, name: string, version: string): DatasetVersion {
    return this.catalog.removeVersion(user, name, version);
  }

  /** @throws SluiceError `not-found`, `unauthorized`. */
  edit(user: DatasetUser, name: string, edit: DatasetEdit): Dataset {
    return this.catalog.edit(user, name, edit);
  }

  /**
   * Deletes chunks that no version and no snapshot refers to, and that nobody reads; see `collectChunks`. One at a time.
   * @throws SluiceError `corrupt-store` when a list of files can't be read: then nothing is deleted; `io`, `cancelled`.
   */
  collect(options: { readonly graceMs?: number; readonly signal?: AbortSignal } = {}): Promise<Collected> {
    const collect = () => collectChunks(this.trees.chunks, () => this.referenced(), options);
    const collected = this.collecting.then(collect);
    this.collecting = collected.catch(() => undefined);
    return collected;
  }

  private async referenced(): Promise<ReadonlySet<string>> {
    const kept = new Set<string>();
    // Whoever begins to read does so at once after looking the version up: it is in one of the two.
    for (const hash of new Set([...this.catalog.manifests(), ...this.trees.inUse()])) {
      kept.add(hash);
      for (const chunk of chunksIn(await this.trees.manifest(hash)).keys()) kept.add(chunk);
    }
    return kept;
  }

  /** @throws SluiceError `unauthorized`. */
  checkHidden(user: DatasetUser, name: string): void {
    if (this.maySeeHidden(user, name)) return;
    throw new SluiceError('unauthorized', `${name}: its hidden parts are for its evaluator alone.`, { name });
  }

  private maySeeHidden(user: DatasetUser, name: string): boolean {
    return user.isEvaluator === true || this.catalog.get(user, name).owner === user.name;
  }
}

/** What the catalog says of a manifest. */
export function describeVersion(manifest: Manifest, { hash }: SealedManifest, note: string) {
  const publicHash = manifest.hidden.length > 0 ? sealManifest(withoutHidden(manifest)).hash : hash;
  return { hash, publicHash, ...totalsOf(manifest), note };
}

/** A part that was misspelt would be open to everybody. */
export function refuseUnused(
  hidden: readonly string[],
  entries: readonly { readonly path: string }[],
  where: string,
): void {
  const unused = hidden.find((prefix) => !entries.some(({ path }) => isHidden(path, [prefix])));
  if (unused === undefined) return;
  throw new SluiceError(
    'bad-input',
    `${where}: expected a folder ${JSON.stringify(unused)} to hide, found none. Hidden parts are written like "hidden/".`,
    { hidden: unused },
  );
}
