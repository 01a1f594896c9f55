import type { z } from 'zod';

import { SluiceError } from '../../../contract';
import { codeOfHttpStatus } from '../../../serving';
import { labAnswer, labRefusal } from './lab-answer';
import { ServerPulse } from './server-pulse';

/**
 * The lab's own operations, by HTTP. They may take as long as they do, for as long as the server is alive: one that hangs
 * ends all of them with `timeout`.
 */
export class LabApi {
  constructor(
    readonly url: string,
    readonly token: string | undefined,
    private readonly user: string,
    readonly pulse = new ServerPulse(url),
  ) {}

  /** @param path below `/api/sluice/`. @throws SluiceError what the lab answers, `unavailable`, `timeout`. */
  async get<S extends z.ZodType>(path: string, schema: S, signal?: AbortSignal): Promise<z.output<S>> {
    return this.ask('GET', path, undefined, schema, signal);
  }

  async send<S extends z.ZodType>(
    method: Exclude<Method, 'GET'>,
    path: string,
    body: unknown,
    schema: S,
    signal?: AbortSignal,
  ): Promise<z.output<S>> {
    return this.ask(method, path, body, schema, signal);
  }

  /** A body as it comes; nothing may come for as long as the server is alive. */
  async *stream(path: string, signal?: AbortSignal, method: Method = 'GET'): AsyncGenerator<Uint8Array> {
    const wait = this.begin(signal);
    try {
      const { body } = await this.call(method, path, method === 'GET' ? undefined : {}, wait.signal);
      for await (const chunk of body) yield chunk as Uint8Array;
    } catch (cause) {
      throw wait.meaningOf(cause);
    } finally {
      wait.end();
    }
  }

  /** Sent with every request. */
  get headers(): Readonly<Record<string, string>> {
    return {
      'x-sluice-user': this.user,
      ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
    };
  }

  private async ask<S extends z.ZodType>(
    method: Method,
    path: string,
    body: unknown,
    schema: S,
    signal?: AbortSignal,
  ): Promise<z.output<S>> {
    const wait = this.begin(signal);
    try {
      return await labAnswer(this.url, (await this.call(method, path, body, wait.signal)).body, schema);
    } catch (cause) {
      throw wait.meaningOf(cause);
    } finally {
      wait.end();
    }
  }

  private async call(method: Method, path: string, body: unknown, signal: AbortSignal) {
    const { request } = await import('undici');
    const answer = await request(`${this.url}/api/sluice/${path}`, {
      method,
      headers: this.headers,
      headersTimeout: 0,
      bodyTimeout: 0,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.statusCode < 300) return answer;
    const said = await labRefusal(answer.body);
    const message = said?.message ?? `${this.url} answers ${answer.statusCode} to ${method} ${path}.`;
    const isTaken = said?.error_code === 'RESOURCE_ALREADY_EXISTS';
    throw new SluiceError(isTaken ? 'conflict' : codeOfHttpStatus(answer.statusCode), message, said?.details);
  }

  /** Begins to wait for an answer, which whoever asked may cancel, and a server that hangs never gives. */
  private begin(signal: AbortSignal | undefined): Wait {
    const abort = new AbortController();
    const cancel = (): void => abort.abort();
    let silence: SluiceError | undefined;
    const stop = this.pulse.watch((error) => {
      silence = error;
      abort.abort();
    });
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted) cancel();
    return {
      signal: abort.signal,
      end: () => {
        stop();
        signal?.removeEventListener('abort', cancel);
      },
      meaningOf: (cause) => {
        if (signal?.aborted) return new SluiceError('cancelled', 'The request was cancelled.');
        return silence ?? this.failure(cause);
      },
    };
  }

  private failure(cause: unknown): SluiceError {
    if (cause instanceof SluiceError) return cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new SluiceError(
      'unavailable',
      `The lab at ${this.url} can't be reached: ${reason}. Start it with "sluice lab serve".`,
      { url: this.url },
      { cause },
    );
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Wait {
  readonly signal: AbortSignal;
  readonly end: () => void;
  /** What to tell of what was thrown meanwhile. */
  readonly meaningOf: (cause: unknown) => SluiceError;
}
