import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

import { z } from 'zod';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { clearPushed, discardUpload, pushedFolder } from '../models/uploads';

const PARTIAL = '.partial';
const MOST_SEGMENTS = 8;
/** A name that is one on every system, not hidden, and not that of a file under way. */
const SEGMENT = /^(?!\.)[^/\\:*?"<>|\p{Cc}]{1,120}$/u;

function isSoundName(name: string): boolean {
  const segments = name.split('/');
  return (
    segments.length <= MOST_SEGMENTS &&
    segments.every((each) => SEGMENT.test(each)) &&
    !name.endsWith(PARTIAL)
  );
}

const bytes = z.coerce.number().int().nonnegative();
const fileSchema = z.object({
  /** The sender's mark for all files of one push. */
  upload: z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits'),
  name: z.string().refine(isSoundName, 'expected a relative path of plain names'),
});
const partSchema = fileSchema.extend({
  /** Where this part begins, and how long the whole file is. */
  offset: bytes,
  total: bytes,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'),
});

export interface PushedState {
  readonly path: string;
  /** That are here. */
  readonly bytes: number;
  /** All of them, and their SHA-256 is right. */
  readonly isWhole: boolean;
  /** That the disk has room for. */
  readonly freeBytes: number;
}

function parsed<T>(schema: z.ZodType<T>, query: URLSearchParams): T {
  const result = schema.safeParse(Object.fromEntries(query));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new SluiceError('bad-input', `Upload: ${faults.join('; ')}.`);
}

/**
 * Files that another engine pushes: they come in parts, so that a connection which breaks costs what was under way in it, and
 * what has come outlives this process.
 */
export class PushedUploads {
  /** Parts that are being received, by path: what ends each, and that it has ended. */
  private readonly receiving = new Map<
    string,
    { readonly stop: () => void; readonly ended: Promise<unknown> }
  >();

  constructor(
    private readonly dataDir: string,
    private readonly maxBytes: number,
    private readonly nowMs: () => number,
  ) {}

  /** @throws SluiceError `bad-input`. */
  state(query: URLSearchParams): Promise<PushedState> {
    const { upload, name } = parsed(fileSchema, query);
    return this.stateOf(join(pushedFolder(this.dataDir), upload, name));
  }

  /**
   * Appends a request's body to what has come of a file.
   * @throws SluiceError `bad-input`; `conflict` when the part begins elsewhere than this end, or the whole is not what was
   * sent (then nothing of it is kept); `io`, with `errno` `ENOSPC` when it does not fit on the disk (then nothing is kept).
   */
  async receive(request: IncomingMessage, query: URLSearchParams): Promise<PushedState> {
    const part = parsed(partSchema, query);
    if (part.total > this.maxBytes) throw tooLarge(part.name, part.total, this.maxBytes);
    const path = join(pushedFolder(this.dataDir), part.upload, part.name);
    // Its sender came back before this end noticed that it had gone.
    const before = this.receiving.get(path);
    before?.stop();
    await before?.ended;
    const receiving = this.append(request, path, part);
    const ended = receiving.catch(() => undefined);
    this.receiving.set(path, { stop: () => request.destroy(), ended });
    try {
      return await receiving;
    } catch (cause) {
      const error = ioError(`Upload of ${part.name} failed`, cause);
      // A full disk is not kept full by what can't be finished.
      if (isFull(error)) await discardUpload(this.dataDir, path);
      throw error;
    } finally {
      if (this.receiving.get(path)?.ended === ended) this.receiving.delete(path);
    }
  }

  /** Removes what has come of a push. @throws SluiceError `bad-input`, `io`. */
  async discard(query: URLSearchParams): Promise<void> {
    const { upload } = parsed(fileSchema.pick({ upload: true }), query);
    const folder = join(pushedFolder(this.dataDir), upload);
    const going = [...this.receiving].filter(([path]) => path.startsWith(folder)).map(([, each]) => each);
    for (const { stop } of going) stop();
    await Promise.all(going.map(({ ended }) => ended));
    await discardUpload(this.dataDir, folder);
  }

  private async stateOf(path: string): Promise<PushedState> {
    const freeBytes = await freeBytesOf(this.dataDir);
    const whole = await sizeOf(path);
    if (whole !== undefined) return { path, bytes: whole, isWhole: true, freeBytes };
    return { path, bytes: (await sizeOf(`${path}${PARTIAL}`)) ?? 0, isWhole: false, freeBytes };
  }

  private async append(
    request: IncomingMessage,
    path: string,
    { name, offset, total, sha256 }: z.infer<typeof partSchema>,
  ): Promise<PushedState> {
    const state = await this.stateOf(path);
    if (state.isWhole || state.bytes !== offset || offset > total) {
      throw new SluiceError(
        'conflict',
        `${name}: expected a part from byte ${state.bytes} on, found one from ${offset}.`,
      );
    }
    if (offset === 0) {
      await clearPushed(this.dataDir, this.nowMs());
      await mkdir(dirname(path), { recursive: true });
    }
    if (total - offset > state.freeBytes) throw tooFull(name, total - offset, state.freeBytes);
    const partial = `${path}${PARTIAL}`;
    const hash = createHash('sha256');
    if (offset > 0) await hashFile(partial, hash);
    const file = createWriteStream(partial, { flags: 'a' });
    try {
      await pipeline(request, counted(name, total - offset, hash), file);
    } finally {
      // What is written must be on its way no longer when somebody asks how much has come.
      if (!file.closed) await finished(file, { error: false }).catch(() => undefined);
    }
    const found = await sizeOf(partial);
    if (found !== total) {
      throw new SluiceError('conflict', `${name}: expected ${total} bytes, found ${found ?? 0}.`);
    }
    await this.finish(path, name, sha256, hash.digest('hex'));
    return this.stateOf(path);
  }

  private async finish(path: string, name: string, expected: string, found: string): Promise<void> {
    const partial = `${path}${PARTIAL}`;
    if (found !== expected) {
      await rm(partial, { force: true });
      throw new SluiceError(
        'conflict',
        `${name}: what arrived is not what was sent (expected SHA-256 ${expected}, found ${found}); it was removed.`,
        { name },
      );
    }
    const file = await open(partial, 'r+');
    await file.sync().finally(() => file.close());
    await rename(partial, path);
  }
}

async function hashFile(path: string, hash: Hash): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
}

/** Feeds the hash, and lets no more through than was announced. */
function counted(name: string, mostBytes: number, hash: Hash): Transform {
  let received = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > mostBytes) {
        done(new SluiceError('bad-input', `${name}: expected at most ${mostBytes} bytes, found more.`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder).catch((cause: unknown) => {
    throw ioError(`Can't read ${folder}`, cause);
  });
  return bavail * bsize;
}

function tooFull(name: string, neededBytes: number, freeBytes: number): SluiceError {
  return new SluiceError(
    'io',
    `${name} does not fit on the disk: it takes ${formatBytes(neededBytes)} more, and ${formatBytes(freeBytes)} are free. ` +
      'Free some space there and try again.',
    { errno: 'ENOSPC', neededBytes, freeBytes },
  );
}

function tooLarge(name: string, totalBytes: number, maxBytes: number): SluiceError {
  return new SluiceError(
    'bad-input',
    `${name} has ${formatBytes(totalBytes)}; more than ${formatBytes(maxBytes)} are not taken. Copy it to the box and import it by its path.`,
    { maxBytes },
  );
}

export function isFull({ code, details }: SluiceError): boolean {
  return code === 'io' && (details['errno'] === 'ENOSPC' || details['errno'] === 'EDQUOT');
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't read ${path}`, cause);
  }
}
