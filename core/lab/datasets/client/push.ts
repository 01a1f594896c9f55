import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import { BoundedTasks } from '../chunks/bounded-tasks';
import { hashOf } from '../chunks/chunk-store';
import type { ContentCutter } from '../chunks/content-cutter';
import type { DatasetVersion } from '../dataset-types';
import { refuseUnused } from '../datasets';
import { sealManifest, type SealedManifest } from '../tree/manifest';
import { changed, openToRead, readTree } from '../tree/read-tree';
import type { LongWork } from '../tree/tree-store';
import { walkTree } from '../tree/walk-tree';
import { isPassing, TRIES, type DatasetHttp } from './dataset-http';
import { committedSchema, MAX_JSON_BYTES, missingSchema, parseAnswer, pathOf } from './lab-answers';

const HASHES_A_REQUEST = 5000;

export interface PushParts {
  readonly http: DatasetHttp;
  readonly cutter: ContentCutter;
  /** Chunks sent at once. */
  readonly connections: number;
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

/** What is to be pushed. */
interface Seen {
  readonly sealed: SealedManifest;
  readonly places: ReadonlyMap<string, Place>;
}

/** A file or a folder on its way to a lab, as the next version of a dataset. */
export class Push {
  private readonly base: string;
  private sentChunks = 0;
  private sentBytes = 0;

  private constructor(
    private readonly parts: PushParts,
    private readonly name: string,
    private readonly seen: Seen,
  ) {
    // The same content is the same push: this is how the next process finds what this one has sent.
    this.base = `${pathOf(name)}/pushes/${seen.sealed.hash.slice(0, 32)}`;
  }

  /**
   * The files are read twice: first to see what they are.
   * @param name a checked one. @throws SluiceError as `DatasetClient.push`.
   */
  static async run(
    parts: PushParts,
    name: string,
    source: string,
    { note = '', hidden = [], onRead, ...work }: RemotePushOptions,
  ): Promise<RemotePushed> {
    const seen = await look(parts.cutter, source, hidden, { signal: work.signal, onProgress: onRead });
    return new Push(parts, name, seen).untilComplete(note, work);
  }

  private async untilComplete(note: string, work: LongWork): Promise<RemotePushed> {
    let wanted: readonly string[] = [...this.seen.places.keys()];
    for (let idleRounds = 0; ;) {
      const missing = await this.missing(wanted, work.signal);
      const before = this.sentChunks;
      if (missing.length > 0) {
        const failure = await this.send(missing, work);
        if (failure) {
          idleRounds = this.sentChunks > before ? 0 : idleRounds + 1;
          if (idleRounds >= TRIES) throw failure;
          await this.parts.http.pause(idleRounds, work.signal);
          wanted = missing;
          continue;
        }
      }
      const outcome = await this.commit(note, work.signal);
      const { sentChunks, sentBytes } = this;
      if ('version' in outcome) return { ...outcome, sentChunks, sentBytes };
      idleRounds += 1;
      if (idleRounds >= TRIES) throw neverComplete(this.name, outcome.missing);
      wanted = outcome.missing;
    }
  }

  private async missing(hashes: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const missing: string[] = [];
    for (let at = 0; at < hashes.length; at += HASHES_A_REQUEST) {
      const body = Buffer.from(JSON.stringify({ chunks: hashes.slice(at, at + HASHES_A_REQUEST) }));
      const answer = await this.parts.http.insist('POST', `${this.base}/missing`, {
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
    missing: readonly string[],
    { signal, onProgress }: LongWork,
  ): Promise<SluiceError | undefined> {
    const { places } = this.seen;
    const { http, connections } = this.parts;
    const totalBytes =
      this.sentBytes + missing.reduce((sum, hash) => sum + (places.get(hash)?.byteLength ?? 0), 0);
    const tasks = new BoundedTasks(connections);
    let failure: SluiceError | undefined;
    for (const hash of missing) {
      await tasks.start(async () => {
        const place = places.get(hash);
        if (!place)
          throw new SluiceError('bad-input', `The lab asks for chunk ${hash}, which is not of this push.`);
        const body = await readPlace(place, hash);
        try {
          await http.ask('PUT', `${this.base}/chunks/${hash}`, { body, signal, maxBytes: MAX_JSON_BYTES });
        } catch (cause) {
          if (!isPassing(cause)) throw cause;
          failure = SluiceError.from(cause);
          return;
        }
        this.sentChunks += 1;
        this.sentBytes += body.length;
        onProgress?.({ doneBytes: this.sentBytes, totalBytes });
      });
    }
    await tasks.finish();
    return failure;
  }

  private async commit(
    note: string,
    signal?: AbortSignal,
  ): Promise<{ version: DatasetVersion } | { missing: string[] }> {
    const { sealed } = this.seen;
    const query = new URLSearchParams({ hash: sealed.hash, note }).toString();
    const { status, bytes } = await this.parts.http.insist('POST', `${this.base}/commit?${query}`, {
      body: sealed.text,
      signal,
      maxBytes: MAX_JSON_BYTES,
      alsoStatus: 409,
    });
    return status === 409 ? parseAnswer(missingSchema, bytes) : parseAnswer(committedSchema, bytes);
  }
}

/** Reads and hashes what is to be pushed. */
async function look(
  cutter: ContentCutter,
  source: string,
  hidden: readonly string[],
  { signal, onProgress }: LongWork,
): Promise<Seen> {
  const tree = await walkTree(source, { signal });
  refuseUnused(hidden, tree.entries, source);
  const places = new Map<string, Place>();
  const totalBytes = tree.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const entries = await readTree(tree, {
    cutter,
    signal,
    onChunk: async ({ hash, bytes, path, offset }) => {
      places.set(hash, { file: join(tree.root, path), offset, byteLength: bytes.length });
      doneBytes += bytes.length;
      onProgress?.({ doneBytes, totalBytes });
    },
  });
  return { sealed: sealManifest({ entries, hidden }), places };
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

function neverComplete(name: string, missing: readonly string[]): SluiceError {
  return new SluiceError(
    'unavailable',
    `${name}: ${missing.length} chunks were sent, and the lab still misses them; look at its disk.`,
    { missing: missing.slice(0, 5) },
  );
}
