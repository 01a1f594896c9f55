import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { connectionFault, connectionTo } from './pinned-connection';
import type { BoxTarget } from './pinned-connection';

export interface FileUpload {
  readonly target: BoxTarget;
  /** Of this machine, absolute. */
  readonly path: string;
  /** On the box. With a folder of an earlier upload before it (`FOLDER/NAME`) it comes to lie beside that one. */
  readonly name: string;
  readonly onBytes: (sentBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

const CONNECT_WITHIN_MS = 10_000;
/** A box whose disk is slow takes nothing for a while. */
const SILENT_FOR_MS = 60_000;
const LONGEST_ANSWER = 64 * 1024;

const answerSchema = z.object({ path: z.string().min(1).max(4096) });

/**
 * Streams a file to a box; memory does not grow with it.
 * @returns its path there.
 * @throws SluiceError `io` when it can't be read here; `unavailable` when the connection fails; `unauthorized`; `cancelled`;
 * else what the box says.
 */
export async function uploadFile({ target, path, name, onBytes, signal }: FileUpload): Promise<string> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw ioError(`Can't read ${path}`, cause);
  });
  throwIfCancelled(signal, name);
  const request = open(target, name, size);
  const cancel = (): unknown => request.destroy(cancelled(name));
  signal.addEventListener('abort', cancel, { once: true });
  const answered = answerOf(request);
  try {
    // The answer counts, also one that comes before all was sent.
    const [answer] = await Promise.all([answered, send(request, path, size, onBytes, answered)]);
    return answer;
  } catch (thrown) {
    throwIfCancelled(signal, name);
    throw thrown;
  } finally {
    signal.removeEventListener('abort', cancel);
    request.destroy();
  }
}

function open(target: BoxTarget, name: string, size: number): ClientRequest {
  const url = new URL(`${target.url}/upload?name=${encodeURIComponent(name)}`);
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = start(url, {
    method: 'POST',
    createConnection: connectionTo(target, CONNECT_WITHIN_MS),
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': size,
      ...(target.token !== undefined && { authorization: `Bearer ${target.token}` }),
    },
  });
  request.once('socket', (socket) =>
    socket.setTimeout(SILENT_FOR_MS, () =>
      request.destroy(unavailable(`it took nothing for ${SILENT_FOR_MS / 1000} s`)),
    ),
  );
  return request;
}

/** A file that can't be read is this machine's fault; a connection that breaks is told by the answer. */
async function send(
  request: ClientRequest,
  path: string,
  size: number,
  onBytes: FileUpload['onBytes'],
  answered: Promise<unknown>,
): Promise<void> {
  if (size === 0) {
    request.end();
    return;
  }
  let sentBytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      sentBytes += chunk.length;
      onBytes(sentBytes, size);
      next(null, chunk);
    },
  });
  const file = createReadStream(path, { end: size - 1, highWaterMark: 1 << 18 });
  let fileError: unknown;
  file.once('error', (error) => (fileError = error));
  try {
    await pipeline(file, counted, request);
  } catch (cause) {
    if (fileError !== undefined) throw ioError(`Can't read ${path}`, fileError);
    await answered; // says it better
    throw unavailable(SluiceError.from(cause).message);
  }
}

async function answerOf(request: ClientRequest): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // A request that is destroyed can fail more than once.
    request.on('error', (error) => {
      if (error instanceof SluiceError && error.code !== 'unauthorized') {
        reject(error);
        return;
      }
      const { reason, isRefusal } = connectionFault(error);
      reject(isRefusal ? new SluiceError('unauthorized', reason) : unavailable(reason));
    });
  });
  const text = await textOf(response);
  const { statusCode = 0 } = response;
  if (statusCode === 401 || statusCode === 403) {
    throw new SluiceError('unauthorized', `The box refused the upload (${statusCode}): ${text}`);
  }
  if (statusCode === 429 || statusCode >= 500) throw unavailable(`it answered ${statusCode}: ${text}`);
  if (statusCode !== 200) {
    throw new SluiceError('bad-input', `The box refused the upload (${statusCode}): ${text}`);
  }
  const parsed = answerSchema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data.path;
  throw unavailable(`it answered something else than where the file is`);
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LONGEST_ANSWER) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unavailable(SluiceError.from(cause).message);
  }
  return Buffer.concat(chunks).toString('utf8').trim();
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unavailable(reason: string): SluiceError {
  return new SluiceError('unavailable', `The upload broke off: ${reason}`);
}

function cancelled(name: string): SluiceError {
  return new SluiceError('cancelled', `Sending ${name} was cancelled.`);
}

function throwIfCancelled(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw cancelled(name);
}
