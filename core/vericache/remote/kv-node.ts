import { Pool } from 'undici';
import { z } from 'zod';

import { parseUrl, systemClock, type Clock } from '../../base';
import { SluiceError, type ErrorCode } from '../../contract';
import { cacheIdentitySchema, type CacheIdentity } from '../store/cache-identity';
import { NodeDeadline } from './node-deadline';

/** Read-ahead asks for a few layers at once. */
const CONNECTIONS = 4;
const DEFAULT_LAYER_DEADLINE_MS = 20_000;
/** A long prompt takes minutes to compute, and may have to wait for a reply that is written. */
const DEFAULT_PREFILL_DEADLINE_MS = 900_000;
const LONGEST_ANSWER_BYTES = 64 * 1024;
const LONGEST_TOLD = 500;

export interface KvNodeOptions {
  /** `http://host:port` or `https://...` of a `sluice serve`. */
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  /** PEM certificates to trust beside the system's. */
  readonly ca?: string | Buffer;
  readonly clock?: Pick<Clock, 'after'>;
  /** For a layer, or a look at what there is; default 20 s. */
  readonly deadlineMs?: number;
  readonly prefillDeadlineMs?: number;
}

const prefixSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  blocks: z
    .number()
    .int()
    .min(1)
    .max(2 ** 20),
  identity: cacheIdentitySchema,
});
/** A text's first blocks on a node. */
export type RemotePrefix = z.infer<typeof prefixSchema>;
const foundSchema = z.object({ prefix: prefixSchema.nullable() });

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What `sluice serve` on another machine keeps of full caches. */
export class KvNode {
  /** As errors name it: the URL without credentials. */
  readonly name: string;
  private readonly pool: Pool;
  private readonly basePath: string;
  private readonly closed = new AbortController();

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(private readonly options: KvNodeOptions) {
    const url = parseUrl(options.url);
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
      throw new SluiceError(
        'bad-input',
        `The remote node: expected a URL like http://host:8000, found "${options.url.slice(0, 200)}".`,
      );
    }
    this.basePath = url.pathname.replace(/\/+$/, '');
    this.name = url.origin + this.basePath;
    this.pool = new Pool(url.origin, {
      connections: CONNECTIONS,
      // The deadline of each call is what ends it.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(options.ca !== undefined && { connect: { ca: options.ca } }),
    });
  }

  /** The longest beginning it has of a text, by the names of its blocks. @throws SluiceError as `prefill`. */
  async find(hashes: readonly string[], signal?: AbortSignal): Promise<RemotePrefix | undefined> {
    const { deadlineMs = DEFAULT_LAYER_DEADLINE_MS } = this.options;
    const call = { method: 'POST', path: '/v1/kv/find', body: { hashes }, deadlineMs, signal } as const;
    return (await this.json(call, foundSchema)).prefix ?? undefined;
  }

  /**
   * Lets it compute what it does not have of these tokens.
   * @throws SluiceError `unauthorized`, `not-found` (the model), `conflict` (its bits would differ), `timeout`,
   * `cancelled`, `unavailable`.
   */
  prefill(
    request: { readonly model: string; readonly identity: CacheIdentity; readonly tokens: readonly number[] },
    signal?: AbortSignal,
  ): Promise<RemotePrefix> {
    const { prefillDeadlineMs: deadlineMs = DEFAULT_PREFILL_DEADLINE_MS } = this.options;
    return this.json(
      { method: 'POST', path: '/v1/kv/prefill', body: request, deadlineMs, signal },
      prefixSchema,
    );
  }

  /** @param take gets the body in pieces; false: it is more than there can be. @throws SluiceError as `prefill`. */
  layer(id: string, layer: number, blocks: number, take: (piece: Uint8Array) => boolean): Promise<void> {
    const { deadlineMs = DEFAULT_LAYER_DEADLINE_MS } = this.options;
    const path = `/v1/kv/${id}/layers/${layer}?blocks=${blocks}`;
    return this.exchange({ method: 'GET', path, deadlineMs }, take);
  }

  /** What is under way is given up. */
  async close(): Promise<void> {
    this.closed.abort();
    await this.pool.destroy();
  }

  private async json<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    await this.exchange(call, (piece) => {
      bytes += piece.byteLength;
      pieces.push(piece);
      return bytes <= LONGEST_ANSWER_BYTES;
    });
    try {
      return schema.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
    } catch (cause) {
      const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
      throw this.unavailable(`answered ${call.path} with what is no such answer (${reason})`, cause);
    }
  }

  private async exchange(call: Call, take: (piece: Uint8Array) => boolean): Promise<void> {
    const { token, clock = systemClock } = this.options;
    const signals = [this.closed.signal, ...(call.signal ? [call.signal] : [])];
    const deadline = new NodeDeadline(clock, call.deadlineMs, signals);
    try {
      const { statusCode, body } = await this.pool.request({
        method: call.method,
        path: this.basePath + call.path,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(call.body && { 'content-type': 'application/json' }),
        },
        body: call.body ? JSON.stringify(call.body) : null,
        signal: deadline.signal,
      });
      if (statusCode !== 200) throw this.refusal(statusCode, await firstOf(body));
      for await (const piece of body as AsyncIterable<Uint8Array>) {
        if (!take(piece)) throw this.unavailable('sent more than was asked for');
      }
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause;
      if (deadline.hasPassed) {
        const message = `${this.name} did not answer within ${call.deadlineMs} ms.`;
        throw new SluiceError('timeout', message, { deadlineMs: call.deadlineMs }, { cause });
      }
      if (deadline.signal.aborted) {
        throw new SluiceError('cancelled', `The request to ${this.name} was given up.`, {}, { cause });
      }
      throw this.unavailable(`can't be reached (${messageOf(cause)})`, cause);
    } finally {
      deadline.end();
    }
  }

  private refusal(status: number, text: string): SluiceError {
    const code = BY_STATUS[status] ?? 'unavailable';
    return new SluiceError(code, `${this.name} answered HTTP ${status}: ${toldIn(text)}`, { status });
  }

  private unavailable(what: string, cause?: unknown): SluiceError {
    return new SluiceError('unavailable', `${this.name} ${what}.`, {}, { cause });
  }
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'bad-input',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not-found',
  409: 'conflict',
  413: 'bad-input',
  501: 'unsupported',
  507: 'budget-too-small',
};

async function firstOf(body: AsyncIterable<unknown>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > LONGEST_ANSWER_BYTES) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

const refusalSchema = z.object({ error: z.string() });

/** Sluice's own words where it was Sluice that answered. */
function toldIn(text: string): string {
  try {
    return refusalSchema.parse(JSON.parse(text)).error.slice(0, LONGEST_TOLD);
  } catch {
    return text.trim().slice(0, LONGEST_TOLD);
  }
}

function messageOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return message || (code ?? String(cause));
}
