import type { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';
import { z } from 'zod';

import { boundedText } from '../../base';
import { SluiceError } from '../../contract';
import { codeOfHttpStatus } from '../../serving';

export type Query = Readonly<Record<string, string>>;

/** A server that answers nothing for so long is taken for gone; sending a file may take longer. */
const ANSWER_MS = 60_000;
const MOST_REASON_CHARACTERS = 500;
const errorSchema = z.object({ error_code: z.string(), message: z.string() });

/** Asks a remote by HTTP. Redirects are not followed: the token is for this remote alone. */
export class RemoteHttp {
  constructor(
    readonly url: string,
    private readonly token: string | undefined,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * @param path below the URL. @returns the answer's JSON.
   * @throws SluiceError `unavailable` (no answer: what was asked may have been done or not; details: `isLinkLost`),
   * `cancelled`, and what the remote answers, with its `status` in the details.
   */
  async get(path: string, query: Query = {}): Promise<unknown> {
    const search = new URLSearchParams(query).toString();
    return this.json('GET', search === '' ? path : `${path}?${search}`);
  }

  async send(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<unknown> {
    return this.json(method, path, JSON.stringify(body));
  }

  /** Sends a file. @param sizeBytes of the whole content. */
  async put(path: string, content: Readable, sizeBytes: number): Promise<unknown> {
    return this.json('PUT', path, content, { 'content-length': String(sizeBytes) });
  }

  private async json(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: string | Readable,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const { request } = await import('undici');
    let status: number;
    let text: string;
    try {
      const answer = await request(`${this.url}${path}`, {
        method,
        headers: {
          ...headers,
          ...(typeof body === 'string' && { 'content-type': 'application/json' }),
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        },
        ...(body !== undefined && { body }),
        signal: this.signal,
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
      });
      status = answer.statusCode;
      text = await boundedText(answer.body);
    } catch (cause) {
      throw this.failure(cause);
    }
    if (status >= 200 && status < 300) return this.parsed(text, `${method} ${path}`);
    throw this.refusal(status, text, `${method} ${path.replace(/\?.*$/s, '')}`);
  }

  private parsed(text: string, what: string): unknown {
    try {
      return text === '' ? {} : (JSON.parse(text) as unknown);
    } catch (cause) {
      const message = `${this.url}: expected JSON from ${what}, found ${JSON.stringify(text.slice(0, 100))}. It is no lab and no MLflow server.`;
      throw new SluiceError('bad-input', message, { url: this.url }, { cause });
    }
  }

  private failure(cause: unknown): SluiceError {
    if (this.signal.aborted) return new SluiceError('cancelled', 'Forwarding was ended.');
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    return new SluiceError(
      'unavailable',
      `${this.url} can't be reached: ${reason}. What is not there is sent when it can be.`,
      { url: this.url, isLinkLost: true },
      { cause },
    );
  }

  private refusal(status: number, text: string, what: string): SluiceError {
    const said = errorSchema.safeParse(jsonOrNothing(text));
    const reason = (said.success ? said.data.message : text.trim()).slice(0, MOST_REASON_CHARACTERS);
    const errorCode = said.success ? said.data.error_code : '';
    const details = { url: this.url, status, errorCode };
    if (status === 401 || status === 403) {
      const message = `${this.url} refuses the token (HTTP ${status}): add the remote again with --token-file.`;
      return new SluiceError('unauthorized', message, details);
    }
    const message = `${this.url} answers ${status} to ${what}${reason === '' ? '.' : `: ${reason}`}`;
    if (errorCode === 'RESOURCE_ALREADY_EXISTS') return new SluiceError('conflict', message, details);
    if (errorCode === 'RESOURCE_DOES_NOT_EXIST') return new SluiceError('not-found', message, details);
    return new SluiceError(codeOfHttpStatus(status), message, details);
  }
}

/** No answer came: nobody knows whether it was done. */
export function isLinkLost({ details }: SluiceError): boolean {
  return details['isLinkLost'] === true;
}

/** The remote itself is in trouble, full or busy; what was sent is not to blame. */
export function isRemoteInTrouble({ details }: SluiceError): boolean {
  const { status } = details;
  return typeof status === 'number' && (status >= 500 || status === 429 || status === 408);
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
