import { createHash } from 'node:crypto';

import { SluiceError } from '../../contract';
import { withStore } from './chunks/collect-chunks';
import { PushLease } from './chunks/chunk-leases';
import { CHUNK_HASH, type PutOutcome } from './chunks/chunk-store';
import { describeVersion, refuseUnused, type Datasets, type ReadAccess } from './datasets';
import type { DatasetUser, DatasetVersion } from './dataset-types';
import { chunksIn, parseManifest, sealManifest } from './tree/manifest';

/** Which push of whom to what. */
export interface PushKey {
  readonly user: DatasetUser;
  readonly name: string;
  /** Chosen by the client: the same again resumes the push. */
  readonly push: string;
}

/** What a commit came to. */
export type CommitOutcome = { readonly version: DatasetVersion } | { readonly missing: readonly string[] };

const PUSH_ID = /^[0-9a-zA-Z-]{8,64}$/;
/** A push finds what it shares with so many of the newest versions; what is older is sent again, and stored once. */
const SHARED_VERSIONS = 8;
const REMEMBERED = 32;

/**
 * Datasets for clients that are elsewhere. A chunk counts as there for a push only when that push has sent it or a
 * version of the same dataset has it: otherwise a hash alone would tell whether somebody's private file is in the store,
 * and give it out.
 */
export class RemoteDatasets {
  /** Chunks that have come and are being stored, by push. */
  private readonly storing = new Map<string, Set<Promise<unknown>>>();
  private readonly leases = new Map<string, Promise<PushLease>>();
  private readonly chunksOf = new Map<string, Promise<ReadonlyMap<string, number>>>();

  constructor(private readonly datasets: Datasets) {}

  /**
   * Which chunks a push must still send; also begins it.
   * @throws SluiceError `bad-input`, `conflict` (the name is another's), `io`.
   */
  async missing(key: PushKey, hashes: readonly string[]): Promise<string[]> {
    const lease = await this.lease(key);
    const shared = await this.sharedChunks(key);
    // Their connection may have been cut since: they need not come again.
    await Promise.allSettled([...(this.storing.get(leaseId(key)) ?? [])]);
    return this.absent(lease, shared, new Map(hashes.map((hash) => [hash, undefined])));
  }

  /** Stores a chunk. @throws SluiceError `bad-input` when it is not what its hash says, `conflict`, `io`. */
  async put(key: PushKey, hash: string, bytes: Uint8Array): Promise<PutOutcome> {
    if (!CHUNK_HASH.test(hash)) {
      throw new SluiceError('bad-input', 'The chunk: expected 64 lower-case hexadecimal digits as its name.');
    }
    const id = leaseId(key);
    const storing = this.storing.get(id) ?? new Set();
    this.storing.set(id, storing);
    const outcome = this.store(key, hash, bytes).finally(() => {
      storing.delete(outcome);
      if (storing.size === 0) this.storing.delete(id);
    });
    storing.add(outcome);
    return outcome;
  }

  /**
   * Makes what was sent a version.
   * @param hash of the manifest, as the client has it.
   * @returns the version, or which chunks are missing. @throws SluiceError `bad-input` (hash mismatch, a manifest that could
   * write outside its folder), `conflict`, `io`.
   */
  async commit(key: PushKey, hash: string, text: Buffer, note: string): Promise<CommitOutcome> {
    const lease = await this.lease(key);
    const where = `The manifest of ${key.name}`;
    const manifest = parseManifest(text, where);
    refuseUnused(manifest.hidden, manifest.entries, where);
    const sealed = sealManifest(manifest);
    if (sealed.hash !== hash) {
      throw new SluiceError(
        'bad-input',
        `${where}: expected SHA-256 ${hash}, found ${sealed.hash}. Send it again.`,
        {
          expected: hash,
          found: sealed.hash,
        },
      );
    }
    const missing = await this.absent(lease, await this.sharedChunks(key), chunksIn(manifest));
    if (missing.length > 0) return { missing };
    const { chunks } = this.datasets.trees;
    await chunks.putHashed(hash, text);
    await chunks.sync();
    const entry = describeVersion(manifest, sealed, note);
    const version = await withStore(chunks, async () =>
      this.datasets.catalog.addVersion(key.user, key.name, entry),
    );
    await lease.release();
    this.leases.delete(leaseId(key));
    return { version };
  }

  /**
   * A chunk of a version that a user may see.
   * @throws SluiceError `not-found` for one of another version or a hidden part, `unauthorized`, `corrupt-store`, `io`.
   */
  async chunk(
    user: DatasetUser,
    name: string,
    version: string,
    hash: string,
    access: ReadAccess,
  ): Promise<Buffer> {
    const { hash: manifest } = this.datasets.catalog.version(user, name, version);
    const known = `${manifest}${access.withHidden ? '+' : ''}`;
    if (access.withHidden) this.datasets.checkHidden(user, name);
    const chunks = await remembered(this.chunksOf, known, async () =>
      chunksIn(await this.datasets.manifest(user, name, version, access)),
    );
    if (chunks.has(hash)) return this.datasets.trees.readChunk(hash);
    throw new SluiceError(
      'not-found',
      `${name}@${version} has no chunk ${JSON.stringify(hash.slice(0, 64))}.`,
    );
  }

  private async store(key: PushKey, hash: string, bytes: Uint8Array): Promise<PutOutcome> {
    const lease = await this.lease(key);
    const outcome = await this.datasets.trees.chunks.put(hash, bytes);
    await lease.add(hash);
    return outcome;
  }

  private async lease(key: PushKey): Promise<PushLease> {
    if (!PUSH_ID.test(key.push)) {
      throw new SluiceError(
        'bad-input',
        'The push: expected 8 to 64 letters, digits and hyphens as its name.',
      );
    }
    this.datasets.catalog.checkPush(key.user, key.name);
    const id = leaseId(key);
    const take = () => PushLease.take(this.datasets.trees.chunks, id);
    const lease = await remembered(this.leases, id, take);
    if (await lease.renew()) return lease;
    this.leases.delete(id);
    return remembered(this.leases, id, take);
  }

  /** What the newest versions of the dataset have; the pusher is its owner. */
  private async sharedChunks({ user, name }: PushKey): Promise<ReadonlyMap<string, number>[]> {
    const [dataset] = this.datasets.list(user).filter((one) => one.name === name);
    const versions = dataset?.versions.slice(0, SHARED_VERSIONS) ?? [];
    return Promise.all(
      versions.map(({ hash }) =>
        remembered(this.chunksOf, `${hash}+`, async () => chunksIn(await this.datasets.trees.manifest(hash))),
      ),
    );
  }

  /** Touches those that are there. */
  private async absent(
    lease: PushLease,
    shared: readonly ReadonlyMap<string, number>[],
    wanted: ReadonlyMap<string, number | undefined>,
  ): Promise<string[]> {
    const missing: string[] = [];
    for (const [hash, byteLength] of wanted) {
      const isKnown = lease.has(hash) || shared.some((chunks) => chunks.has(hash));
      if (!isKnown || !(await this.datasets.trees.chunks.touch(hash, byteLength))) missing.push(hash);
    }
    return missing;
  }
}

/** A push of one user is none of another's. */
function leaseId({ user, name, push }: PushKey): string {
  return createHash('sha256')
    .update(JSON.stringify([user.name, name, push]))
    .digest('hex')
    .slice(0, 32);
}

/** The value under a key, made once; of many keys the last ones are kept. */
function remembered<T>(values: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = values.get(key) ?? make();
  values.delete(key);
  values.set(key, value);
  // A failure is not kept.
  value.catch(() => values.delete(key));
  for (const oldest of values.keys()) {
    if (values.size <= REMEMBERED) break;
    values.delete(oldest);
  }
  return value;
}
