import type { Pool } from 'undici';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { codeOfHttpStatus } from '../protocol/status-codes';
import { CircuitBreaker } from './circuit-breaker';
import type { BreakerState, Permit } from './circuit-breaker';
import { Deadline } from './deadline';
import { exchange } from './http-exchange';
import type { ExchangeAnswer, ExchangeRequest } from './http-exchange';

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_MAX_RESPONSE_BYTES = 256 * 2 ** 20;
const DEFAULT_RETRIES = 2;
const DEFAULT_BREAKER = { failures: 3, openMs: 5_000 };
const CONNECTIONS = 16;
/** Before the second try of a refused connection; doubles with every further one. */
const FIRST_BACKOFF_MS = 50;
/** Much of an error page of a foreign server says nothing. */
const MAX_ERROR_TEXT = 500;

export interface EndpointOptions {
  /** `http://host:port` or `https://...`, with the path before `/v2` if there is one. */
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  /** PEM certificates to trust beside the system's. */
  readonly ca?: string | Buffer;
  readonly clock: Clock;
  readonly maxResponseBytes?: number;
  /** Further tries where a try is safe; default 2. */
  readonly retries?: number;
  /** Default: opens after 3 failures in a row, for 5 s. */
  readonly breaker?: { readonly failures: number; readonly openMs: number };
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For everything together: connecting, retries, the reply. Default 30 s. */
  readonly deadlineMs?: number;
}

export interface Asked<T> {
  readonly value: T;
  readonly answer: ExchangeAnswer;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly totalMs: number;
  readonly attempts: number;
}

/** One server's address with what protects both sides: deadline, safe retries, circuit breaker, response limit. */
export class Endpoint {
  /** As errors name it: the URL without credentials. */
  readonly name: string;
  private readonly origin: string;
  private readonly basePath: string;
  private readonly breaker: CircuitBreaker;
  private pool: Promise<Pool> | undefined;
  private isClosed = false;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(private readonly options: EndpointOptions) {
    const url = parseUrl(options.url);
    this.origin = url.origin;
    this.name = url.origin + url.pathname.replace(/\/+$/, '');
    this.basePath = url.pathname.replace(/\/+$/, '');
    this.breaker = new CircuitBreaker({
      ...(options.breaker ?? DEFAULT_BREAKER),
      nowMs: () => options.clock.nowMs(),
    });
  }

  get breakerState(): BreakerState {
    return this.breaker.state;
  }

  /**
   * Asks until there is an answer, trying again only where the request can't have been begun: the connection was
   * refused, or the server said 503 and when to come back.
   * @param read makes the value of a 2xx answer; what it throws counts against the endpoint.
   * @throws SluiceError `unavailable`, `overloaded`, `timeout`, `cancelled`, or what the HTTP status means.
   */
  async ask<T>(
    request: ExchangeRequest,
    read: (answer: ExchangeAnswer) => T,
    { signal, deadlineMs = DEFAULT_DEADLINE_MS }: CallOptions = {},
  ): Promise<Asked<T>> {
    const { clock, retries = DEFAULT_RETRIES } = this.options;
    await this.prepare();
    const startedMs = clock.nowMs();
    const deadline = new Deadline(clock, deadlineMs, this.name, signal);
    try {
      for (let attempts = 1; ; attempts += 1) {
        const permit = this.breaker.enter(this.name);
        try {
          const answer = await this.exchange(request, deadline);
          const value = read(answer);
          permit.succeeded();
          return { value, answer, startedMs, totalMs: clock.nowMs() - startedMs, attempts };
        } catch (thrown) {
          const error = SluiceError.from(thrown);
          report(permit, error);
          const pauseMs = attempts > retries ? undefined : pauseBeforeRetry(error, attempts);
          if (pauseMs === undefined || !deadline.hasRoom(pauseMs)) throw error;
          await deadline.pause(pauseMs);
        }
      }
    } finally {
      deadline.end();
    }
  }

  /**
   * Asks once, whatever the breaker says, and tells the breaker what it found.
   * @returns the HTTP status.
   * @throws SluiceError `unavailable`, `timeout`, `cancelled`.
   */
  async probe(path: string, call: CallOptions): Promise<number> {
    try {
      const { status } = await this.look(path, call);
      this.breaker.probed(status < 500);
      return status;
    } catch (thrown) {
      if (SluiceError.from(thrown).code !== 'cancelled') this.breaker.probed(false);
      throw thrown;
    }
  }

  /**
   * Asks once, beside the breaker: for what says nothing about whether inferences would be answered.
   * @returns the answer, whatever its status.
   * @throws SluiceError `unavailable`, `timeout`, `cancelled`.
   */
  async look(
    path: string,
    { signal, deadlineMs = DEFAULT_DEADLINE_MS }: CallOptions,
    maxResponseBytes?: number,
  ): Promise<ExchangeAnswer> {
    await this.prepare();
    const deadline = new Deadline(this.options.clock, deadlineMs, this.name, signal);
    try {
      return await this.send({ method: 'GET', path, headers: {} }, deadline, maxResponseBytes);
    } finally {
      deadline.end();
    }
  }

  /** Call before a clock starts: loading the client's library is no part of what a first call takes, and links are judged by it. */
  async prepare(): Promise<void> {
    await this.connections();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await (await this.pool)?.destroy();
  }

  /** Loaded with the first call: an engine that starts with endpoints need not wait for the client's library. */
  private connections(): Promise<Pool> {
    return (this.pool ??= this.openPool());
  }

  private async openPool(): Promise<Pool> {
    const { Pool } = await import('undici');
    const { ca } = this.options;
    const pool = new Pool(this.origin, {
      connections: CONNECTIONS,
      // The deadline of each call is what ends it.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(ca !== undefined && { connect: { ca } }),
    });
    if (this.isClosed) await pool.destroy();
    return pool;
  }

  private async exchange(request: ExchangeRequest, deadline: Deadline): Promise<ExchangeAnswer> {
    const answer = await this.send(request, deadline);
    if (answer.status < 300) return answer;
    throw this.statusError(answer);
  }

  private async send(
    request: ExchangeRequest,
    deadline: Deadline,
    maxResponseBytes = this.options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES,
  ): Promise<ExchangeAnswer> {
    const { token, clock } = this.options;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const full = {
      ...request,
      path: this.basePath + request.path,
      headers: { ...request.headers, ...authorization },
    };
    const nowMs = (): number => clock.nowMs();
    try {
      return await exchange(await this.connections(), full, {
        where: this.name,
        maxResponseBytes,
        nowMs,
        signal: deadline.signal,
      });
    } catch (thrown) {
      throw deadline.explain(SluiceError.from(thrown));
    }
  }

  /** What a status other than 2xx means. It decides; the body only adds what the server says about it. */
  statusError({ status, headers, body }: ExchangeAnswer): SluiceError {
    const retryAfter = retryAfterMs(headers.get('retry-after'), this.options.clock.nowMs());
    const code = status === 503 && retryAfter !== undefined ? 'overloaded' : codeOfHttpStatus(status);
    const details = { status, ...(retryAfter !== undefined && { retryAfterMs: retryAfter }) };
    return new SluiceError(code, `${this.name} answered HTTP ${status}${serverText(body)}.`, details);
  }
}

/** What is the endpoint's own failure, and what only the request's. */
function report(permit: Permit, { code }: SluiceError): void {
  if (code === 'cancelled') permit.abandoned();
  else if (code === 'unavailable' || code === 'timeout' || code === 'runtime' || code === 'internal') {
    permit.failed();
  } else permit.succeeded();
}

/** How long to wait before another try; undefined where another try might do the work twice. */
function pauseBeforeRetry({ code, details }: SluiceError, attempts: number): number | undefined {
  if (code === 'unavailable' && details['wasSent'] === false) return FIRST_BACKOFF_MS * 2 ** (attempts - 1);
  if (code === 'overloaded' && typeof details['retryAfterMs'] === 'number') return details['retryAfterMs'];
  return undefined;
}

/** Of a `Retry-After` header: seconds, or an HTTP date. */
function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

function serverText(body: Buffer): string {
  const text = body.subarray(0, MAX_ERROR_TEXT * 4).toString('utf8');
  const told = errorMember(text) ?? text.trim();
  return told === '' ? '' : `: ${told.slice(0, MAX_ERROR_TEXT).replace(/\.$/, '')}`;
}

function errorMember(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const told = (value as { error?: unknown } | null)?.error;
    return typeof told === 'string' ? told : undefined;
  } catch {
    return undefined; // not JSON: what it says is shown as it is
  }
}

function parseUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    url = undefined; // told below, as any other address that can't be used
  }
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new SluiceError(
    'bad-input',
    `The endpoint: expected a URL like http://host:8000, found "${text.slice(0, 200)}".`,
  );
}
