import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { SECURITY_HEADERS } from './static-files';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const NO_TOKEN =
  'A token is missing: open the address that "sluice host" printed, or send "Authorization: Bearer TOKEN".';

/**
 * A refusal with its reason. The rest of the request's body is not read, so its connection can't be used again.
 * @param retryAfterSec of a 429.
 */
export function refusal(status: number, reason: string, retryAfterSec?: number): Reply {
  return {
    status,
    headers: {
      ...challenge(status),
      ...(retryAfterSec === undefined ? {} : { 'retry-after': String(retryAfterSec) }),
      'content-type': 'text/plain; charset=utf-8',
      connection: 'close',
    },
    body: `${reason}\n`,
  };
}

export function noToken(): Reply {
  return refusal(401, NO_TOKEN);
}

/** RFC 9110, 11.6.1: a 401 names the way in. Browsers have no dialog for this one. */
export function challenge(status: number): Readonly<Record<string, string>> {
  return status === 401 ? { 'www-authenticate': 'Bearer realm="sluice"' } : {};
}

export function redirect(headers: Readonly<Record<string, string>>): Reply {
  return { status: 303, headers: { ...headers, location: '/' }, body: '' };
}

export function write(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const { status, headers, body } = reply;
  response
    .writeHead(status, { ...SECURITY_HEADERS, ...headers, ...lengthOf(reply) })
    .end(request.method === 'HEAD' || status === 204 ? undefined : body);
}

/** In place of an upgrade. */
export function writeTo(socket: Duplex, reply: Reply): void {
  const { status, headers, body } = reply;
  const all = Object.entries({ ...headers, ...lengthOf(reply), connection: 'close' });
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`);
  socket.end(body);
}

/** An answer without content has no length (RFC 9110, 8.6). */
function lengthOf({ status, body }: Reply): Readonly<Record<string, string>> {
  return status === 204 ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}
