import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { codeOfHttpStatus, errorDetailsSchema } from '../../../serving';

const errorSchema = z.object({ error_code: z.string(), message: z.string(), details: errorDetailsSchema });

/** The lab's own operations, by HTTP. */
export class LabApi {
  constructor(
    readonly url: string,
    readonly token: string | undefined,
    private readonly user: string,
  ) {}

  /** @param path below `/api/sluice/`. @throws SluiceError what the lab answers, `unavailable`. */
  async get<S extends z.ZodType>(path: string, schema: S, signal?: AbortSignal): Promise<z.output<S>> {
    return schema.parse(await this.json('GET', path, undefined, signal));
  }

  async send<S extends z.ZodType>(
    method: Exclude<Method, 'GET'>,
    path: string,
    body: unknown,
    schema: S,
    signal?: AbortSignal,
  ): Promise<z.output<S>> {
    return schema.parse(await this.json(method, path, body, signal));
  }

  /** A body as it comes. */
  async *stream(path: string, signal?: AbortSignal, method: Method = 'GET'): AsyncGenerator<Uint8Array> {
    const { body } = await this.call(method, path, method === 'GET' ? undefined : {}, signal);
    for await (const chunk of body) yield chunk as Uint8Array;
  }

  /** Sent with every request. */
  get headers(): Readonly<Record<string, string>> {
    return {
      'x-sluice-user': this.user,
      ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
    };
  }

  private async json(method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    return (await this.call(method, path, body, signal)).body.json();
  }

  private async call(method: Method, path: string, body: unknown, signal?: AbortSignal) {
    const { request } = await import('undici');
    const answer = await request(`${this.url}/api/sluice/${path}`, {
      method,
      headers: this.headers,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw new SluiceError('cancelled', 'The request was cancelled.');
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError(
        'unavailable',
        `The lab at ${this.url} can't be reached: ${reason}. Start it with "sluice lab serve".`,
        { url: this.url },
        { cause },
      );
    });
    if (answer.statusCode < 300) return answer;
    const said = errorSchema.safeParse(await answer.body.json().catch(() => undefined));
    const message = said.success
      ? said.data.message
      : `${this.url} answers ${answer.statusCode} to ${method} ${path}.`;
    const isTaken = said.success && said.data.error_code === 'RESOURCE_ALREADY_EXISTS';
    throw new SluiceError(
      isTaken ? 'conflict' : codeOfHttpStatus(answer.statusCode),
      message,
      said.success ? said.data.details : {},
    );
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
