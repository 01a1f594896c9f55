import { Readable } from 'node:stream';

import type { Dispatcher, Pool } from 'undici';

import { SluiceError } from '../../contract';

/** Bodies go out in pieces of this size, so that a slow link shows as time of sending. */
const PIECE_BYTES = 64 * 1024;
const FIRST_FINAL_STATUS = 200;

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What one exchange took, one phase after the other. */
export interface ExchangeTimes {
  /** Until a connection was there: none of the time of a connection that is kept open. */
  readonly connectMs: number;
  /** Until the last byte was handed to the operating system. */
  readonly sendMs: number;
  /** Until the reply's headers came. */
  readonly waitMs: number;
  /** Until its last byte came. */
  readonly receiveMs: number;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly times: ExchangeTimes;
}

export interface ExchangeOptions {
  /** Names the endpoint in errors. */
  readonly where: string;
  readonly maxResponseBytes: number;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * One request and its whole reply over a pooled connection.
 * @throws SluiceError `unavailable` (details.wasSent: whether a byte of the request may have gone out) when the
 *   connection fails or the reply is no HTTP or too large, `cancelled` when the signal aborts.
 */
export function exchange(
  pool: Pool,
  request: ExchangeRequest,
  options: ExchangeOptions,
): Promise<ExchangeAnswer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = request;
    const handler = new ExchangeHandler(options, resolve, reject);
    const sized = body ? { ...headers, 'content-length': String(body.byteLength) } : headers;
    const stream = body ? Readable.from(pieces(body), { objectMode: false }) : null;
    pool.dispatch({ method, path, headers: sized, body: stream }, handler);
  });
}

function* pieces(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.byteLength; start += PIECE_BYTES) {
    yield body.subarray(start, start + PIECE_BYTES);
  }
}

class ExchangeHandler implements Dispatcher.DispatchHandlers {
  private readonly startedMs: number;
  private connectedMs: number | undefined;
  private sentMs: number | undefined;
  private answeredMs = 0;
  private status = 0;
  private headers: ReadonlyMap<string, string> = new Map();
  private readonly chunks: Buffer[] = [];
  private receivedBytes = 0;
  private abort: ((error: Error) => void) | undefined;
  private readonly cancel: () => void;

  constructor(
    private readonly options: ExchangeOptions,
    private readonly resolve: (answer: ExchangeAnswer) => void,
    private readonly reject: (error: SluiceError) => void,
  ) {
    this.startedMs = options.nowMs();
    this.cancel = () =>
      this.end(new SluiceError('cancelled', `The request to ${options.where} was given up.`));
    options.signal.addEventListener('abort', this.cancel, { once: true });
    if (options.signal.aborted) this.cancel();
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.options.signal.aborted) {
      abort();
      return;
    }
    this.abort = abort;
    this.connectedMs = this.options.nowMs();
  }

  /** Not in undici's types: called when the whole request was written. */
  onRequestSent(): void {
    this.sentMs = this.options.nowMs();
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (status < FIRST_FINAL_STATUS) return true;
    this.answeredMs = this.options.nowMs();
    this.status = status;
    this.headers = headerMap(headers);
    return true;
  }

  onData(chunk: Buffer): boolean {
    const { where, maxResponseBytes } = this.options;
    this.receivedBytes += chunk.byteLength;
    if (this.receivedBytes <= maxResponseBytes) this.chunks.push(chunk);
    else this.end(this.failure(`${where} answered with more than ${maxResponseBytes} bytes, the limit here`));
    return true;
  }

  onComplete(): void {
    const { startedMs, answeredMs } = this;
    const connectedMs = this.connectedMs ?? startedMs;
    // A server may answer before it has read everything.
    const sentMs = Math.min(this.sentMs ?? answeredMs, answeredMs);
    const times = {
      connectMs: connectedMs - startedMs,
      sendMs: sentMs - connectedMs,
      waitMs: answeredMs - sentMs,
      receiveMs: this.options.nowMs() - answeredMs,
    };
    this.stopListening();
    this.resolve({ status: this.status, headers: this.headers, body: Buffer.concat(this.chunks), times });
  }

  onError(cause: Error): void {
    this.end(this.failure(`${this.options.where} ${problemOf(cause)}`, cause));
  }

  private failure(what: string, cause?: Error): SluiceError {
    const wasSent = this.connectedMs !== undefined;
    return new SluiceError('unavailable', `${what}; use another endpoint.`, { wasSent }, { cause });
  }

  /** Rejects, once; what still comes of the connection is ignored. */
  private end(error: SluiceError): void {
    this.stopListening();
    this.reject(error);
    this.abort?.(error);
  }

  private stopListening(): void {
    this.options.signal.removeEventListener('abort', this.cancel);
  }
}

/** Raw names and values in turn; a repeated header keeps its last value. */
function headerMap(raw: readonly Buffer[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    headers.set(raw[i]!.toString('latin1').toLowerCase(), raw[i + 1]!.toString('latin1'));
  }
  return headers;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection: nothing listens there',
  ECONNRESET: 'broke the connection off',
  EPIPE: 'broke the connection off',
  UND_ERR_SOCKET: 'broke the connection off',
  ENOTFOUND: 'has no address',
  UND_ERR_CONNECT_TIMEOUT: 'can not be reached: no connection in time',
};

function problemOf(error: Error & { readonly code?: string }): string {
  const { code = '', message } = error;
  if (code.startsWith('HPE_')) return `answered with something that is no HTTP (${message})`;
  return PROBLEMS[code] ?? `can not be reached (${message})`;
}
