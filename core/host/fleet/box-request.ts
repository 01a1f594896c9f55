import { request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

import type { z } from 'zod';

import { SluiceError } from '../../contract';
import { connectionFault, connectionTo } from './pinned-connection';
import type { BoxTarget } from './pinned-connection';

const CONNECT_WITHIN_MS = 10_000;
/** A box whose disk is slow takes nothing for a while. */
const SILENT_FOR_MS = 60_000;
const LONGEST_ANSWER = 64 * 1024;

/** A request to the uploads of a box; whoever opens it sends its body and ends it. */
export function openUpload(
  target: BoxTarget,
  method: 'GET' | 'POST',
  query: Readonly<Record<string, string>>,
  bodyBytes: number,
): ClientRequest {
  const url = new URL(`${target.url}/upload?${new URLSearchParams(query).toString()}`);
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = start(url, {
    method,
    createConnection: connectionTo(target, CONNECT_WITHIN_MS),
    headers: {
      ...(method === 'POST' && {
        'content-type': 'application/octet-stream',
        'content-length': bodyBytes,
      }),
      ...(target.token !== undefined && { authorization: `Bearer ${target.token}` }),
    },
  });
  request.once('socket', (socket) =>
    socket.setTimeout(SILENT_FOR_MS, () =>
      request.destroy(brokenOff(`it took nothing for ${SILENT_FOR_MS / 1000} s`)),
    ),
  );
  return request;
}

/**
 * @returns what the box answers.
 * @throws SluiceError `unavailable` when the connection fails or the box can't take it now; `unauthorized`; `io` when its disk
 * is full; `bad-input`.
 */
export async function answerOf<T>(request: ClientRequest, schema: z.ZodType<T>): Promise<T> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // A request that is destroyed can fail more than once.
    request.on('error', (error) => {
      if (error instanceof SluiceError && error.code !== 'unauthorized') {
        reject(error);
        return;
      }
      const { reason, isRefusal } = connectionFault(error);
      reject(isRefusal ? new SluiceError('unauthorized', reason) : brokenOff(reason));
    });
  });
  const text = await textOf(response);
  const { statusCode = 0 } = response;
  if (statusCode !== 200 && statusCode !== 204) throw refusedUpload(statusCode, text);
  const parsed = schema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw brokenOff('it answered something else than where the file is');
}

const UNAUTHORIZED = [401, 403];
const DISK_IS_FULL = 507;
/** What came before is not what this end thinks it is, or it has too much to do: another attempt can end otherwise. */
const LATER = [409, 429];

function refusedUpload(status: number, text: string): SluiceError {
  const said = `(${status}): ${text}`;
  if (UNAUTHORIZED.includes(status))
    return new SluiceError('unauthorized', `The box refused the upload ${said}`);
  if (status === DISK_IS_FULL) return new SluiceError('io', `The box's disk is full ${said}`);
  if (LATER.includes(status) || status >= 500) return brokenOff(`it answered ${status}: ${text}`);
  return new SluiceError('bad-input', `The box refused the upload ${said}`);
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
    throw brokenOff(SluiceError.from(cause).message);
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

export function brokenOff(reason: string): SluiceError {
  return new SluiceError('unavailable', `The upload broke off: ${reason}`);
}
