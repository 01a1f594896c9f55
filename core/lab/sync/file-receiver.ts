import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { ioError, sha256Hex, sha256OfFile } from '../../storage';
import type { ArtifactPath } from '../artifacts/artifact-path';
import type { ArtifactStore } from '../artifacts/artifact-store';

/** What nobody went on with for so long is given up. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** A file that another lab sends, perhaps in several goes. */
export interface SentContent {
  readonly path: ArtifactPath;
  readonly bytes: number;
  /** Of all of it, in lower-case hex. */
  readonly sha256: string;
}

/** How much of it is here; `isDone` when it is in its place. */
export interface Received {
  readonly bytes: number;
  readonly isDone: boolean;
}

/** Takes large files of other labs: what has arrived when a link breaks is kept, also over a restart. */
export class FileReceiver {
  private constructor(
    private readonly folder: string,
    private readonly artifacts: ArtifactStore,
  ) {}

  /** @param folder of what is not whole yet; made when missing. @throws SluiceError `io`. */
  static async open(folder: string, artifacts: ArtifactStore, clock: Clock): Promise<FileReceiver> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const name of await readdir(folder)) {
        const { mtimeMs } = await stat(join(folder, name));
        if (mtimeMs + KEPT_MS < clock.nowMs()) await rm(join(folder, name), { force: true });
      }
    } catch (cause) {
      throw ioError(`Can't keep files under way in ${folder}`, cause);
    }
    return new FileReceiver(folder, artifacts);
  }

  async receivedOf(sent: SentContent): Promise<Received> {
    return { bytes: await this.sizeOf(sent), isDone: false };
  }

  /**
   * Takes bytes from `from` on; those of the same file that come twice are the same, so two connections do no harm.
   * @throws SluiceError `conflict` (what is here ends before `from`), `bad-input` (all of it is not what its hash says: it begins anew),
   * `io`, and what `content` throws.
   */
  async take(sent: SentContent, from: number, content: AsyncIterable<Uint8Array>): Promise<Received> {
    const size = await this.sizeOf(sent);
    if (from > size) {
      throw new SluiceError('conflict', `Expected bytes from ${size} on, found those from ${from} on.`, {
        size,
      });
    }
    await this.write(sent, from, content);
    const bytes = await this.sizeOf(sent);
    if (bytes < sent.bytes) return { bytes, isDone: false };
    const place = this.placeOf(sent);
    const sha256 = await sha256OfFile(place, { offset: 0, byteLength: bytes });
    if (sha256 !== sent.sha256) {
      await rm(place, { force: true });
      const path = sent.path.join('/');
      throw new SluiceError(
        'bad-input',
        `${path}: expected the SHA-256 ${sent.sha256}, found ${sha256}. Send it anew.`,
      );
    }
    await this.artifacts.write(sent.path, createReadStream(place));
    await rm(place, { force: true });
    return { bytes, isDone: true };
  }

  private async write(sent: SentContent, from: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await open(this.placeOf(sent), from === 0 ? 'w' : 'r+');
    try {
      let at = from;
      for await (const chunk of content) {
        if (at + chunk.length > sent.bytes) {
          throw new SluiceError('bad-input', `Expected ${sent.bytes} bytes, found more of them.`);
        }
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
      }
    } finally {
      await file.close();
    }
  }

  private async sizeOf(sent: SentContent): Promise<number> {
    const stats = await stat(this.placeOf(sent)).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw ioError(`Can't look at ${this.placeOf(sent)}`, cause);
    });
    return stats?.size ?? 0;
  }

  private placeOf({ path, bytes, sha256 }: SentContent): string {
    return join(this.folder, sha256Hex(Buffer.from(JSON.stringify([path, bytes, sha256]))));
  }
}
