import type { Pool } from 'undici';
import { z } from 'zod';

import { parseUrl, systemClock, type Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { codeOfHttpStatus, errorDetailsSchema } from '../../../serving';

/** Tries of one request, and rounds of a push that send nothing, before a link counts as gone. */
export const TRIES = 6;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3000;
const STALL_MS = 60_000;
const errorSchema = z.object({
  error_code: z.string(),
  message: z.string().max(10_000),
  details: errorDetailsSchema,
});

export interface DatasetHttpOptions {
  /** Of the lab, `http://host:port`. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly clock?: Clock;
}

export interface HttpCall {
  readonly body?: Buffer;
  readonly signal?: AbortSignal | undefined;
  /** Longer answers are refused. */
  readonly maxBytes: number;
  /** A status that is an answer although it is no success. */
  readonly alsoStatus?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** Requests to a lab: errors as the lab means them, `unavailable` for all that another try may mend. */
export class DatasetHttp {
  private pool: Promise<Pool> | undefined;
  private readonly clock: Clock;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(private readonly options: DatasetHttpOptions) {
    const { url, clock = systemClock } = options;
    if (!/^https?:\/\/[^/]/.test(url) || !parseUrl(url)) {
      throw new SluiceError(
        'bad-input',
        `The lab's address: expected http://HOST:PORT, found ${JSON.stringify(url)}.`,
      );
    }
    this.clock = clock;
  }

  /** One try. @throws SluiceError `unavailable`, `cancelled`, what the lab answers. */
  async ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, call: HttpCall): Promise<HttpAnswer> {
    const { url, token, headers } = this.options;
    let answer: HttpAnswer;
    try {
      const pool = await this.connect();
      const { statusCode, body } = await pool.request({
        method,
        path,
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        body: call.body ?? null,
        signal: call.signal ?? null,
      });
      answer = { status: statusCode, bytes: await readAll(body, call.maxBytes, path) };
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause;
      if (call.signal?.aborted)
        throw new SluiceError('cancelled', `${method} ${path} was cancelled.`, {}, { cause });
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError('unavailable', `${url} can't be reached: ${reason}.`, { url }, { cause });
    }
    if (answer.status < 400 || answer.status === call.alsoStatus) return answer;
    throw refusal(url, answer);
  }

  /** Tries until the lab answers. For requests that may be made twice. @throws as `ask`. */
  async insist(method: 'GET' | 'POST' | 'PATCH', path: string, call: HttpCall): Promise<HttpAnswer> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.ask(method, path, call);
      } catch (cause) {
        if (!isPassing(cause) || attempt + 1 >= TRIES) throw cause;
        await this.pause(attempt, call.signal);
      }
    }
  }

  /** Waits a little longer after each failure in a row. @throws SluiceError `cancelled`. */
  async pause(failures: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const delayMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      const cancel = this.clock.after(delayMs, done);
      function done(): void {
        signal?.removeEventListener('abort', done);
        cancel();
        resolve();
      }
      signal?.addEventListener('abort', done);
      if (signal?.aborted) done();
    });
    if (signal?.aborted) throw new SluiceError('cancelled', 'The transfer was cancelled.');
  }

  async close(): Promise<void> {
    await (await this.pool)?.destroy();
  }

  /** The client is loaded when something is asked: a lab's server, which asks nobody, stays small. */
  private connect(): Promise<Pool> {
    const { url, connections } = this.options;
    const limits = { connections, headersTimeout: STALL_MS, bodyTimeout: STALL_MS };
    return (this.pool ??= import('undici').then(({ Pool }) => new Pool(new URL(url).origin, limits)));
  }
}

/** Whether another try may end better. */
export function isPassing(cause: unknown): boolean {
  return cause instanceof SluiceError && (cause.code === 'unavailable' || cause.code === 'overloaded');
}

async function readAll(body: AsyncIterable<Buffer>, maxBytes: number, path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let byteLength = 0;
  for await (const part of body) {
    byteLength += part.length;
    if (byteLength > maxBytes) {
      throw new SluiceError(
        'bad-input',
        `${path}: expected at most ${maxBytes} bytes, found more. Is this a lab?`,
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function refusal(url: string, { status, bytes }: HttpAnswer): SluiceError {
  const found = errorSchema.safeParse(jsonIn(bytes));
  const code =
    found.success && found.data.error_code === 'RESOURCE_ALREADY_EXISTS'
      ? 'conflict'
      : codeOfHttpStatus(status);
  const message = found.success ? found.data.message : `${url} answered ${status}, and not as a lab does.`;
  return new SluiceError(code, message, { ...(found.success && found.data.details), status });
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // the page of a proxy, say
  }
}
