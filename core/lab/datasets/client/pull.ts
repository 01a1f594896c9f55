import { SluiceError } from '../../../contract';
import { sha256Hex } from '../../../storage';
import { BoundedTasks } from '../chunks/bounded-tasks';
import { takeLease } from '../chunks/chunk-leases';
import type { DatasetVersion } from '../dataset-types';
import type { ReadAccess } from '../datasets';
import { chunksIn, MAX_CHUNK_BYTES, MAX_MANIFEST_BYTES, parseManifest } from '../tree/manifest';
import type { Manifest } from '../tree/manifest';
import type { LongWork, TreeStore } from '../tree/tree-store';
import type { DatasetHttp } from './dataset-http';
import { MAX_JSON_BYTES, parseAnswer, pathOf, versionSchema } from './lab-answers';

export interface RemotePullOptions extends LongWork, ReadAccess {
  /** Keeps the chunks: a pull that was cut short goes on from there. */
  readonly trees: TreeStore;
  readonly isReadOnly?: boolean;
}

export interface RemotePulled {
  /** Of what was not in the store yet. */
  readonly receivedChunks: number;
  readonly receivedBytes: number;
}

export interface PullParts {
  readonly http: DatasetHttp;
  /** Chunks asked for at once. */
  readonly connections: number;
}

/** As `DatasetClient.version`. */
export async function askVersion(
  http: DatasetHttp,
  name: string,
  version: string,
  signal?: AbortSignal,
): Promise<DatasetVersion> {
  const path = `${pathOf(name)}/versions/${encodeURIComponent(version)}`;
  const { bytes } = await http.insist('GET', path, { signal, maxBytes: MAX_JSON_BYTES });
  return parseAnswer(versionSchema, bytes);
}

/** As `DatasetClient.pull`. */
export async function pull(
  parts: PullParts,
  name: string,
  version: string,
  folder: string,
  options: RemotePullOptions,
): Promise<RemotePulled> {
  const { trees, withHidden = false, isReadOnly = false, ...work } = options;
  const release = await takeLease(trees.chunks);
  try {
    // By its number from here on: `latest` may become another meanwhile.
    const found = await askVersion(parts.http, name, version, work.signal);
    const base = `${pathOf(name)}/versions/${found.number}`;
    const query = withHidden ? '?hidden=true' : '';
    const call = { signal: work.signal, maxBytes: MAX_MANIFEST_BYTES };
    const { bytes } = await parts.http.insist('GET', `${base}/manifest${query}`, call);
    const where = `The manifest of ${name}@${found.number}`;
    checkManifest(where, bytes, withHidden ? found.hash : found.publicHash);
    const manifest = parseManifest(bytes, where);
    const pathOfChunk = (hash: string): string => `${base}/chunks/${hash}${query}`;
    const received = await receive(parts, manifest, pathOfChunk, trees, work);
    await trees.restore(manifest, folder, { signal: work.signal, isReadOnly });
    return received;
  } finally {
    await release();
  }
}

async function receive(
  { http, connections }: PullParts,
  manifest: Manifest,
  pathOfChunk: (hash: string) => string,
  { chunks: store }: TreeStore,
  { signal, onProgress }: LongWork,
): Promise<RemotePulled> {
  const chunks = chunksIn(manifest);
  const totalBytes = [...chunks.values()].reduce((sum, byteLength) => sum + byteLength, 0);
  const received = { receivedChunks: 0, receivedBytes: 0 };
  let doneBytes = 0;
  const tasks = new BoundedTasks(connections);
  for (const [hash, byteLength] of chunks) {
    await tasks.start(async () => {
      if (!(await store.touch(hash, byteLength))) {
        const { bytes } = await http.insist('GET', pathOfChunk(hash), { signal, maxBytes: MAX_CHUNK_BYTES });
        await store.put(hash, bytes);
        received.receivedChunks += 1;
        received.receivedBytes += byteLength;
      }
      doneBytes += byteLength;
      onProgress?.({ doneBytes, totalBytes });
    });
  }
  await tasks.finish();
  return received;
}

function checkManifest(where: string, bytes: Buffer, expected: string): void {
  const found = sha256Hex(bytes);
  if (found === expected) return;
  throw new SluiceError(
    'bad-input',
    `${where}: expected SHA-256 ${expected}, found ${found}. Pull it again.`,
    { expected, found },
  );
}
