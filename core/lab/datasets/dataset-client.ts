import { join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { sha256Hex } from '../../storage';
import { BoundedTasks } from './chunks/bounded-tasks';
import { takeLease } from './chunks/chunk-leases';
import { CHUNK_HASH, hashOf } from './chunks/chunk-store';
import { ContentCutter } from './chunks/content-cutter';
import { DatasetHttp, isPassing, TRIES, type DatasetHttpOptions } from './dataset-http';
import { checkDatasetName, type DatasetEdit, type DatasetVersion } from './dataset-types';
import { refuseUnused, type ReadAccess } from './datasets';
import { chunksIn, MAX_CHUNK_BYTES, MAX_MANIFEST_BYTES, parseManifest, sealManifest } from './tree/manifest';
import type { Manifest, SealedManifest } from './tree/manifest';
import { changed, openToRead, readTree } from './tree/read-tree';
import type { LongWork, TreeStore } from './tree/tree-store';
import { walkTree } from './tree/walk-tree';

const CONNECTIONS = 4;
const HASHES_A_REQUEST = 5000;
const MAX_JSON_BYTES = 16 * 2 ** 20;

const versionSchema = z.object({
  number: z.int(),
  hash: z.string(),
  publicHash: z.string(),
  files: z.int(),
  bytes: z.int(),
  note: z.string(),
  createdMs: z.number(),
});
const committedSchema = z.object({ version: versionSchema });
const missingSchema = z.object({ missing: z.array(z.string().regex(CHUNK_HASH)) });

export interface DatasetClientOptions extends Omit<DatasetHttpOptions, 'connections'> {
  /** At once; default 4. */
  readonly connections?: number;
  readonly cutter?: ContentCutter;
}

/** `onProgress` tells of what is sent. */
export interface RemotePushOptions extends LongWork {
  /** Of the first reading, which finds out what there is to send. */
  readonly onRead?: LongWork['onProgress'];
  readonly note?: string;
  readonly hidden?: readonly string[];
}

export interface RemotePushed {
  readonly version: DatasetVersion;
  /** Of what the lab had not got yet. */
  readonly sentChunks: number;
  readonly sentBytes: number;
}

/** Where a chunk stands on the disk. */
interface Place {
  readonly file: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** What is being pushed. */
interface Outgoing {
  readonly base: string;
  readonly sealed: SealedManifest;
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * Pushes to and pulls from a lab elsewhere, a few connections at once. What has arrived is not sent again: neither after
 * a lost connection nor by the next call after this process has died.
 */
export class DatasetClient {
  private readonly http: DatasetHttp;
  private readonly cutter: ContentCutter;
  private readonly connections: number;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(options: DatasetClientOptions) {
    this.connections = options.connections ?? CONNECTIONS;
    this.cutter = options.cutter ?? new ContentCutter();
    this.http = new DatasetHttp({ ...options, connections: this.connections });
  }

  /**
   * Makes a file or a folder the next version of a dataset. The files are read twice: first to see what they are.
   * @throws SluiceError `unavailable` when the lab can't be reached for long, `conflict` (a file changes meanwhile, the
   * name is another's), `bad-input`, `unauthorized`, `io`, `cancelled`.
   */
  async push(name: string, source: string, options: RemotePushOptions = {}): Promise<RemotePushed> {
    checkDatasetName(name);
    const { note = '', hidden = [], onRead, ...work } = options;
    const { sealed, places } = await this.look(source, hidden, { signal: work.signal, onProgress: onRead });
    // The same content is the same push: this is how the next process finds what this one has sent.
    const base = `${pathOf(name)}/pushes/${sealed.hash.slice(0, 32)}`;
    const outgoing = { base, sealed, places };
    const sent = { sentChunks: 0, sentBytes: 0 };
    let wanted: readonly string[] = [...places.keys()];
    for (let idleRounds = 0; ;) {
      const missing = await this.missing(base, wanted, work.signal);
      const before = sent.sentChunks;
      if (missing.length > 0) {
        const failure = await this.send(outgoing, missing, sent, work);
        if (failure) {
          idleRounds = sent.sentChunks > before ? 0 : idleRounds + 1;
          if (idleRounds >= TRIES) throw failure;
          await this.http.pause(idleRounds, work.signal);
          wanted = missing;
          continue;
        }
      }
      const outcome = await this.commit(outgoing, note, work.signal);
      if ('version' in outcome) return { ...outcome, ...sent };
      idleRounds += 1;
      if (idleRounds >= TRIES) throw neverComplete(name, outcome.missing);
      wanted = outcome.missing;
    }
  }

  /** Changes what is said about a dataset. @throws SluiceError `not-found`, `unauthorized`, `unavailable`. */
  async edit(name: string, edit: DatasetEdit): Promise<void> {
    const body = Buffer.from(JSON.stringify(edit));
    await this.http.insist('PATCH', pathOf(name), { body, maxBytes: MAX_JSON_BYTES });
  }

  /**
   * Writes a version as a new folder. Its chunks are kept in `trees`: a pull that was cut short goes on from there, and
   * the next version brings only what is new in it.
   * @param folder must not be there, or be empty. @throws SluiceError `not-found`, `unauthorized`, `unavailable`,
   * `conflict`, `bad-input` (a manifest that could write outside the folder), `io`, `cancelled`.
   */
  async pull(
    name: string,
    version: string,
    folder: string,
    options: LongWork & ReadAccess & { readonly trees: TreeStore; readonly isReadOnly?: boolean },
  ): Promise<{ readonly receivedChunks: number; readonly receivedBytes: number }> {
    const { trees, withHidden = false, isReadOnly = false, ...work } = options;
    const release = await takeLease(trees.chunks);
    try {
      // By its number from here on: `latest` may become another meanwhile.
      const found = await this.version(name, version, work.signal);
      const base = `${pathOf(name)}/versions/${found.number}`;
      const query = withHidden ? '?hidden=true' : '';
      const call = { signal: work.signal, maxBytes: MAX_MANIFEST_BYTES };
      const { bytes } = await this.http.insist('GET', `${base}/manifest${query}`, call);
      const where = `The manifest of ${name}@${found.number}`;
      checkManifest(where, bytes, withHidden ? found.hash : found.publicHash);
      const manifest = parseManifest(bytes, where);
      const received = await this.receive(manifest, base, query, trees, work);
      await trees.restore(manifest, folder, { signal: work.signal, isReadOnly });
      return received;
    } finally {
      await release();
    }
  }

  /** @param version a number, the beginning of a hash or `latest`. @throws SluiceError `not-found`, `unavailable`. */
  async version(name: string, version: string, signal?: AbortSignal): Promise<DatasetVersion> {
    const path = `${pathOf(name)}/versions/${encodeURIComponent(version)}`;
    const { bytes } = await this.http.insist('GET', path, { signal, maxBytes: MAX_JSON_BYTES });
    return parseAnswer(versionSchema, bytes);
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.http.close();
  }

  /** Reads and hashes what is to be pushed. */
  private async look(
    source: string,
    hidden: readonly string[],
    { signal, onProgress }: LongWork,
  ): Promise<Pick<Outgoing, 'sealed' | 'places'>> {
    const tree = await walkTree(source, { signal });
    refuseUnused(hidden, tree.entries, source);
    const places = new Map<string, Place>();
    const totalBytes = tree.entries.reduce((sum, { bytes }) => sum + bytes, 0);
    let doneBytes = 0;
    const entries = await readTree(tree, {
      cutter: this.cutter,
      signal,
      onChunk: async ({ hash, bytes, path, offset }) => {
        places.set(hash, { file: join(tree.root, path), offset, byteLength: bytes.length });
        doneBytes += bytes.length;
        onProgress?.({ doneBytes, totalBytes });
      },
    });
    return { sealed: sealManifest({ entries, hidden }), places };
  }

  private async missing(base: string, hashes: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const missing: string[] = [];
    for (let at = 0; at < hashes.length; at += HASHES_A_REQUEST) {
      const body = Buffer.from(JSON.stringify({ chunks: hashes.slice(at, at + HASHES_A_REQUEST) }));
      const answer = await this.http.insist('POST', `${base}/missing`, {
        body,
        signal,
        maxBytes: MAX_JSON_BYTES,
      });
      missing.push(...parseAnswer(missingSchema, answer.bytes).missing);
    }
    return missing;
  }

  /** Sends what it can. @returns why not all arrived, when another try may. @throws what another try can't mend. */
  private async send(
    { base, places }: Outgoing,
    missing: readonly string[],
    sent: { sentChunks: number; sentBytes: number },
    { signal, onProgress }: LongWork,
  ): Promise<SluiceError | undefined> {
    const totalBytes =
      sent.sentBytes + missing.reduce((sum, hash) => sum + (places.get(hash)?.byteLength ?? 0), 0);
    const tasks = new BoundedTasks(this.connections);
    let failure: SluiceError | undefined;
    for (const hash of missing) {
      await tasks.start(async () => {
        const place = places.get(hash);
        if (!place)
          throw new SluiceError('bad-input', `The lab asks for chunk ${hash}, which is not of this push.`);
        const body = await readPlace(place, hash);
        try {
          await this.http.ask('PUT', `${base}/chunks/${hash}`, { body, signal, maxBytes: MAX_JSON_BYTES });
        } catch (cause) {
          if (!isPassing(cause)) throw cause;
          failure = SluiceError.from(cause);
          return;
        }
        sent.sentChunks += 1;
        sent.sentBytes += body.length;
        onProgress?.({ doneBytes: sent.sentBytes, totalBytes });
      });
    }
    await tasks.finish();
    return failure;
  }

  private async commit(
    { base, sealed }: Outgoing,
    note: string,
    signal?: AbortSignal,
  ): Promise<{ version: DatasetVersion } | { missing: string[] }> {
    const query = new URLSearchParams({ hash: sealed.hash, note }).toString();
    const { status, bytes } = await this.http.insist('POST', `${base}/commit?${query}`, {
      body: sealed.text,
      signal,
      maxBytes: MAX_JSON_BYTES,
      alsoStatus: 409,
    });
    return status === 409 ? parseAnswer(missingSchema, bytes) : parseAnswer(committedSchema, bytes);
  }

  private async receive(
    manifest: Manifest,
    base: string,
    query: string,
    { chunks: store }: TreeStore,
    { signal, onProgress }: LongWork,
  ): Promise<{ receivedChunks: number; receivedBytes: number }> {
    const chunks = chunksIn(manifest);
    const totalBytes = [...chunks.values()].reduce((sum, byteLength) => sum + byteLength, 0);
    const received = { receivedChunks: 0, receivedBytes: 0 };
    let doneBytes = 0;
    const tasks = new BoundedTasks(this.connections);
    for (const [hash, byteLength] of chunks) {
      await tasks.start(async () => {
        if (!(await store.touch(hash, byteLength))) {
          const call = { signal, maxBytes: MAX_CHUNK_BYTES };
          const { bytes } = await this.http.insist('GET', `${base}/chunks/${hash}${query}`, call);
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
}

async function readPlace({ file, offset, byteLength }: Place, hash: string): Promise<Buffer> {
  const handle = await openToRead(file);
  try {
    const bytes = Buffer.allocUnsafeSlow(byteLength);
    let done = 0;
    while (done < byteLength) {
      const { bytesRead } = await handle.read(bytes, done, byteLength - done, offset + done);
      if (bytesRead === 0) throw changed(file);
      done += bytesRead;
    }
    if ((await hashOf(bytes)) !== hash) throw changed(file);
    return bytes;
  } finally {
    await handle.close();
  }
}

function checkManifest(where: string, bytes: Buffer, expected: string): void {
  const found = sha256Hex(bytes);
  if (found === expected) return;
  throw new SluiceError(
    'bad-input',
    `${where}: expected SHA-256 ${expected}, found ${found}. Pull it again.`,
    {
      expected,
      found,
    },
  );
}

function pathOf(name: string): string {
  return `/api/sluice/datasets/${encodeURIComponent(name)}`;
}

function parseAnswer<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new SluiceError('unavailable', "The lab's answer is not one that Sluice knows.", {}, { cause });
  }
}

function neverComplete(name: string, missing: readonly string[]): SluiceError {
  return new SluiceError(
    'unavailable',
    `${name}: ${missing.length} chunks were sent, and the lab still misses them; look at its disk.`,
    { missing: missing.slice(0, 5) },
  );
}
