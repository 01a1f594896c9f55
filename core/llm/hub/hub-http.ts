import { Agent, request, type Dispatcher } from 'undici';

import { parseUrl } from '../../base';
import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { addressOf } from './hub-address';
import { TransientError } from './retry';

export interface HubSettings {
  readonly endpoint: URL;
  /** Sent to the endpoint's own origin and nowhere else. */
  readonly token?: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Told when a failure is waited out. */
  readonly onWait?: (failure: SluiceError, waitMs: number) => void;
}

/** An answer whose body is the caller's to read to its end, or to destroy. */
export interface HubAnswer {
  readonly status: number;
  /** Of the last answer. */
  readonly header: (name: string) => string | undefined;
  /** SHA-256 of the file behind a redirect, as the hub says (`X-Linked-Etag`). */
  readonly linkedSha256: string | undefined;
  readonly body: Dispatcher.ResponseData['body'];
}

const CONNECT_MS = 10_000;
const HEADERS_MS = 30_000;
/** Between two pieces of a body. */
const IDLE_MS = 60_000;
const MAX_REDIRECTS = 5;
const MAX_ERROR_BYTES = 64 << 10;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Speaks to a hub and to whatever hosts it sends one to. Close it after use. */
export class HubHttp {
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: HEADERS_MS,
    bodyTimeout: IDLE_MS,
  });

  /** @throws SluiceError `bad-input` when the token would travel in plain text. */
  constructor(readonly settings: HubSettings) {
    const { endpoint, token } = settings;
    if (token === undefined || endpoint.protocol === 'https:' || LOOPBACK.test(endpoint.hostname)) return;
    throw new SluiceError(
      'bad-input',
      `A token is not sent to ${addressOf(endpoint)} in plain text: give an https address, or no token.`,
    );
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  /**
   * Asks for a URL and follows redirects.
   * @param subject what is asked for, for messages: `the repository x/y`.
   * @throws TransientError (connection, 429, 5xx), SluiceError `unauthorized`, `not-found`, `unavailable`, `cancelled`.
   */
  async get(url: URL, subject: string, headers: Readonly<Record<string, string>> = {}): Promise<HubAnswer> {
    let at = url;
    let linkedSha256: string | undefined;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await this.send(at, headers);
      const header = (name: string): string | undefined => first(response.headers[name]);
      linkedSha256 ??= /^"?([0-9a-f]{64})"?$/.exec(header('x-linked-etag') ?? '')?.[1];
      const { statusCode: status, body } = response;
      if (status === 200 || status === 206 || status === 416) return { status, header, linkedSha256, body };
      const location = header('location');
      if (status < 300 || status >= 400 || location === undefined)
        throw await this.failure(response, at, subject);
      body.destroy();
      at = redirected(at, location);
    }
    throw new SluiceError(
      'unavailable',
      `${at.host} redirects more than ${MAX_REDIRECTS} times for ${subject}.`,
    );
  }

  /** @throws SluiceError `unavailable` for an answer that is larger, or cut; as `get`. */
  async text(
    url: URL,
    subject: string,
    maxBytes: number,
  ): Promise<{ text: string; link: string | undefined }> {
    const answer = await this.get(url, subject, { accept: 'application/json' });
    const text = await this.readAll(answer.body, url, maxBytes);
    if (text !== undefined) return { text, link: answer.header('link') };
    throw new SluiceError('unavailable', `${url.host} answers more than ${maxBytes} bytes for ${subject}.`);
  }

  /** A connection's failure as the error to throw. @param what happened, for messages. */
  transient(host: string, cause: unknown): TransientError | SluiceError {
    const { signal } = this.settings;
    if (signal?.aborted)
      return new SluiceError('cancelled', `Reading from ${host} was cancelled.`, {}, { cause });
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const failure = new SluiceError(
      'unavailable',
      `The connection to ${host} failed: ${message || code}. Check the network and the address of the hub.`,
      { host },
      { cause },
    );
    // A certificate that is not trusted stays so.
    return /CERT|SIGNED|ALTNAME/.test(code) ? failure : new TransientError(failure);
  }

  private async send(url: URL, headers: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    const { endpoint, token, signal } = this.settings;
    try {
      const response = await request(url, {
        dispatcher: this.agent,
        headers: {
          'user-agent': 'sluice',
          'accept-encoding': 'identity',
          ...headers,
          ...(token !== undefined && url.origin === endpoint.origin && { authorization: `Bearer ${token}` }),
        },
        signal: signal ?? null,
      });
      // Of a body that is let go of; whoever reads it is told in another way.
      response.body.on('error', () => undefined);
      return response;
    } catch (cause) {
      throw this.transient(url.host, cause);
    }
  }

  private async failure(
    { statusCode: status, headers, body }: Dispatcher.ResponseData,
    url: URL,
    subject: string,
  ): Promise<TransientError | SluiceError> {
    const said = (await this.readAll(body, url, MAX_ERROR_BYTES).catch(() => undefined)) ?? '';
    const failure = failureOf(status, first(headers['x-error-code']) ?? '', { url, subject, said });
    if (status !== 429 && status < 500) return failure;
    return new TransientError(
      failure,
      retryAfterMs(first(headers['retry-after']), this.settings.clock.nowMs()),
    );
  }

  /** @returns undefined beyond `maxBytes`. */
  private async readAll(body: HubAnswer['body'], url: URL, maxBytes: number): Promise<string | undefined> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) return undefined;
        chunks.push(chunk);
      }
    } catch (cause) {
      throw this.transient(url.host, cause);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** @throws SluiceError `unavailable` for an address that is none, or less safe than the one that names it. */
function redirected(from: URL, location: string): URL {
  const url = parseUrl(location, from);
  const isSafe =
    url && (url.protocol === 'https:' || (url.protocol === 'http:' && from.protocol === 'http:'));
  if (isSafe && url.username === '' && url.password === '') return url;
  throw new SluiceError(
    'unavailable',
    `${from.host} redirects to '${location.slice(0, 100)}'; expected an https address.`,
    { host: from.host },
  );
}

interface Asked {
  readonly url: URL;
  readonly subject: string;
  /** The body of the answer. */
  readonly said: string;
}

function failureOf(status: number, code: string, { url, subject, said }: Asked): SluiceError {
  const details = { host: url.host, status };
  if (status === 401) {
    const message = `${url.host} wants a token for ${subject}, or has none of the name. Check the name, or give a token (--token-env VAR).`;
    return new SluiceError('unauthorized', message, details);
  }
  if (status === 403) {
    const gated =
      code === 'GatedRepo'
        ? 'Accept its terms on its page, with the account of the token'
        : 'Check the token';
    return new SluiceError(
      'unauthorized',
      `${url.host} does not give ${subject} to this token. ${gated}.`,
      details,
    );
  }
  if (status === 404) {
    const what =
      code === 'RevisionNotFound' ? `no such revision of ${subject}` : `no ${subject.replace(/^the /, '')}`;
    return new SluiceError('not-found', `There is ${what} at ${url.host}.`, details);
  }
  const excerpt = said.replace(/\s+/g, ' ').slice(0, 120);
  const message = `${url.host} answered ${status} for ${subject}${excerpt === '' ? '' : `: ${excerpt}`}`;
  return new SluiceError(
    status === 429 ? 'overloaded' : 'unavailable',
    `${message}. Try again later.`,
    details,
  );
}

/** Seconds, or a date. @returns undefined when the server says nothing that can be read. */
function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
