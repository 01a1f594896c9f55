import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

import { SluiceError } from '../../contract';
import type { ArtifactPath } from '../artifacts/artifact-path';
import type { ArtifactStore, OpenArtifact } from '../artifacts/artifact-store';
import { pathOfArtifactUri } from '../artifacts/artifact-uri';
import type { Positions, SentFile } from './positions';
import type { Remote } from './remote-types';
import type { SyncTarget } from './sync-target';

/** Files that belong to a run or a logged model, here and there. */
export interface ArtifactOwner {
  /** A run's id, or a logged model's. */
  readonly id: string;
  readonly artifactUri: string;
  readonly remoteUri: string;
}

/** A file that the remote does not have, or not as it is now. */
export interface PendingFile {
  readonly owner: ArtifactOwner;
  /** Below the owner's folder. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Sends files, each whole or not at all: what was acknowledged is not sent again, unless its content has changed. Sent twice, it
 * is there once.
 */
export class ArtifactSender {
  constructor(
    private readonly store: ArtifactStore,
    private readonly positions: Positions,
    private readonly remote: Remote,
  ) {}

  /** None for artifacts that this lab does not keep itself. @throws SluiceError `io`, `bad-input`. */
  async pending(owner: ArtifactOwner): Promise<readonly PendingFile[]> {
    if (!isProxied(owner.artifactUri)) return [];
    const place = pathOfArtifactUri(owner.artifactUri);
    const sent = this.positions.filesOf(this.remote, owner.id);
    const pending: PendingFile[] = [];
    for (const { path, isFolder, sizeBytes: bytes } of await this.store.list(place, true)) {
      if (isFolder) continue;
      const known = sent.get(path);
      if (known?.bytes === bytes && (await this.isUnchanged(owner, path, known))) continue;
      pending.push({ owner, path, bytes });
    }
    return pending;
  }

  /** @returns its size. @throws SluiceError `unsupported` (artifacts that the remote does not take itself), as `RemoteHttp.put`, `io`. */
  async send(target: SyncTarget, { owner, path }: PendingFile): Promise<number> {
    const place = placeThere(this.remote, owner);
    const file = await this.find(owner, path);
    if (!file) return 0;
    const { sizeBytes: bytes, modifiedMs } = file;
    const sha256 = await sha256OfStream(file.stream());
    const contentFrom = (first: number): Promise<Readable> => this.contentOf(owner, path, first);
    await target.sendFile([...place, ...path.split('/')], { bytes, sha256, contentFrom });
    this.positions.setFile(this.remote, owner.id, path, { bytes, modifiedMs, sha256 });
    return bytes;
  }

  /** @throws SluiceError `not-found` when it was removed meanwhile. */
  private async contentOf({ artifactUri }: ArtifactOwner, path: string, first: number): Promise<Readable> {
    const file = await this.store.read([...pathOfArtifactUri(artifactUri), ...path.split('/')]);
    return file.stream(first === 0 ? undefined : { first, last: file.sizeBytes - 1 });
  }

  /** Undefined when it was removed since it was listed. */
  private async find({ artifactUri }: ArtifactOwner, path: string): Promise<OpenArtifact | undefined> {
    try {
      return await this.store.read([...pathOfArtifactUri(artifactUri), ...path.split('/')]);
    } catch (thrown) {
      if (SluiceError.from(thrown).code === 'not-found') return undefined;
      throw thrown;
    }
  }

  /** A file that was written again with the same content is not sent again. */
  private async isUnchanged(owner: ArtifactOwner, path: string, known: SentFile): Promise<boolean> {
    const file = await this.find(owner, path);
    if (!file) return true;
    const { sizeBytes: bytes, modifiedMs } = file;
    if (modifiedMs === known.modifiedMs) {
      await file.close();
      return true;
    }
    const sha256 = await sha256OfStream(file.stream());
    if (sha256 !== known.sha256) return false;
    this.positions.setFile(this.remote, owner.id, path, { bytes, modifiedMs, sha256 });
    return true;
  }
}

function isProxied(uri: string): boolean {
  return uri.startsWith('mlflow-artifacts:/') && !uri.startsWith('mlflow-artifacts://');
}

function placeThere({ url }: Remote, { id, remoteUri }: ArtifactOwner): ArtifactPath {
  if (isProxied(remoteUri)) return pathOfArtifactUri(remoteUri);
  throw new SluiceError(
    'unsupported',
    `${url} keeps the artifacts of ${id} at ${remoteUri.slice(0, 200)}, and takes none itself. ` +
      'Start it with --serve-artifacts, or leave the experiment out.',
  );
}

async function sha256OfStream(content: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
