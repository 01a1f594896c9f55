import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { z } from 'zod';

import { formatBytes, openBelow } from '../../base';
import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { answerOf, brokenOff, openUpload } from './box-request';
import type { BoxTarget } from './pinned-connection';

export interface FileUpload {
  readonly target: BoxTarget;
  /** Of this machine, absolute. */
  readonly path: string;
  /** Real paths of folders of which one has to hold the file when it is opened, as `openBelow` has them. */
  readonly folders?: readonly string[];
  /** On the box; of one that can go on, a path with `/` relative to where the first of its files lies. */
  readonly name: string;
  /** It goes on where an earlier attempt broke off. */
  readonly resumes?: {
    /** 16 hex digits: files of one mark come to lie beside each other. */
    readonly upload: string;
    readonly sha256: string;
  };
  readonly onBytes: (sentBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

const answerSchema = z.object({ path: z.string().min(1).max(4096) });
const stateSchema = answerSchema.extend({
  bytes: z.number().int().nonnegative(),
  isWhole: z.boolean(),
  freeBytes: z.number(),
});

/**
 * Streams a file to a box; memory does not grow with it.
 * @returns its path there.
 * @throws SluiceError `io` when it can't be read here, or there is no room for it there; `unavailable` when the connection
 * fails; `unauthorized`; `cancelled`; else what the box says.
 */
export async function uploadFile(upload: FileUpload): Promise<string> {
  const { path, name, signal, onBytes, resumes } = upload;
  const { size } = await stat(path).catch((cause: unknown) => {
    throw ioError(`Can't read ${path}`, cause);
  });
  throwIfCancelled(signal, name);
  if (resumes === undefined) return sendFrom(upload, 0, size, { name });
  const query = { upload: resumes.upload, name };
  const state = await stateThere(upload, query);
  if (state.isWhole) {
    onBytes(size, size);
    return state.path;
  }
  // More than there is to send: the file was another when that was sent.
  if (state.bytes > size) {
    await discardThere(upload.target, resumes.upload);
    throw brokenOff(`${name} is shorter than what was sent of it before`);
  }
  const neededBytes = size - state.bytes;
  if (neededBytes > state.freeBytes) {
    throw new SluiceError(
      'io',
      `${name} does not fit on the box's disk: it takes ${formatBytes(neededBytes)} more, and ` +
        `${formatBytes(state.freeBytes)} are free. Free some space there and try again.`,
      { neededBytes, freeBytes: state.freeBytes },
    );
  }
  const part = { offset: String(state.bytes), total: String(size), sha256: resumes.sha256 };
  return sendFrom(upload, state.bytes, size, { ...query, ...part });
}

/** Removes what has come of a push that will not go on. @throws SluiceError as `answerOf`. */
export async function discardThere(target: BoxTarget, upload: string): Promise<void> {
  const request = openUpload(target, 'POST', { upload, discard: '1' }, 0);
  request.end();
  await answerOf(request, z.unknown());
}

function stateThere(
  { target, signal, name }: FileUpload,
  query: Readonly<Record<string, string>>,
): Promise<z.infer<typeof stateSchema>> {
  const request = openUpload(target, 'GET', query, 0);
  return untilCancelled(request, signal, name, () => {
    request.end();
    return answerOf(request, stateSchema);
  });
}

async function sendFrom(
  upload: FileUpload,
  offset: number,
  size: number,
  query: Readonly<Record<string, string>>,
): Promise<string> {
  const { target, name, signal } = upload;
  const request = openUpload(target, 'POST', query, size - offset);
  return untilCancelled(request, signal, name, async () => {
    const answered = answerOf(request, answerSchema);
    // The answer counts, also one that comes before all was sent.
    const [{ path }] = await Promise.all([answered, sendBody(request, upload, offset, size, answered)]);
    return path;
  });
}

async function untilCancelled<T>(
  request: ClientRequest,
  signal: AbortSignal,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const cancel = (): unknown => request.destroy(cancelled(name));
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } catch (thrown) {
    throwIfCancelled(signal, name);
    throw thrown;
  } finally {
    signal.removeEventListener('abort', cancel);
    request.destroy();
  }
}

/** A file that can't be read is this machine's fault; a connection that breaks is told by the answer. */
async function sendBody(
  request: ClientRequest,
  { path, folders, onBytes }: FileUpload,
  offset: number,
  size: number,
  answered: Promise<unknown>,
): Promise<void> {
  let sentBytes = offset;
  onBytes(sentBytes, size);
  if (offset === size) {
    request.end();
    return;
  }
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      sentBytes += chunk.length;
      onBytes(sentBytes, size);
      next(null, chunk);
    },
  });
  const fd = folders && openedBelow(path, folders);
  const range = { start: offset, end: size - 1, highWaterMark: 1 << 18 };
  const file = createReadStream(path, fd === undefined ? range : { ...range, fd });
  let fileError: unknown;
  file.once('error', (error) => (fileError = error));
  try {
    await pipeline(file, counted, request);
  } catch (cause) {
    if (fileError !== undefined) throw ioError(`Can't read ${path}`, fileError);
    await answered; // says it better
    throw brokenOff(SluiceError.from(cause).message);
  }
}

function openedBelow(path: string, folders: readonly string[]): number {
  try {
    return openBelow(path, folders);
  } catch (cause) {
    throw ioError(`Can't read ${path}`, cause);
  }
}

function cancelled(name: string): SluiceError {
  return new SluiceError('cancelled', `Sending ${name} was cancelled.`);
}

function throwIfCancelled(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw cancelled(name);
}
