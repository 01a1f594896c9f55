import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

import { z } from 'zod';

import { boundedText } from '../../base';
import { SluiceError } from '../../contract';
import type { ErrorCode } from '../../contract';
import { DEPLOYMENTS_PATH, deploymentListSchema, SHA256_HEADER } from '../protocol/deployments';
import type { PublishedDeployment } from '../protocol/deployments';
import { codeOfHttpStatus, isErrorCode } from '../protocol/status-codes';

export interface PublishClientOptions {
  /** `http://host:port` or `https://...`, with the path before `/v2` if there is one. */
  readonly url: string;
  readonly token?: string;
}

/** A file to publish as a version. */
export interface Publication {
  readonly servedAs: string;
  /** As the registry calls it. */
  readonly model: string;
  readonly version: number;
  /** 100: it becomes the stable one; less: the canary. */
  readonly sharePct: number;
  readonly path: string;
  readonly fileBytes: number;
  readonly sha256: string;
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
  readonly signal?: AbortSignal | undefined;
}

const errorSchema = z.object({ error: z.string(), code: z.custom<ErrorCode>(isErrorCode) });
/** Much of an error page of a foreign server says nothing. */
const MAX_ERROR_TEXT = 500;

/**
 * Publishes to one of Sluice's servers. Every call gives what is published there afterwards, and throws a `SluiceError` with the
 * server's own code and message; `unavailable` when it can't be reached; `unsupported` when it is no server of Sluice's.
 */
export class PublishClient {
  /** As errors name it. */
  readonly name: string;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(private readonly options: PublishClientOptions) {
    const url = urlOf(options.url);
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
      throw new SluiceError(
        'bad-input',
        `The endpoint: expected a URL like http://host:8000, found "${options.url.slice(0, 200)}".`,
      );
    }
    this.name = url.origin + url.pathname.replace(/\/+$/, '');
  }

  list(signal?: AbortSignal): Promise<readonly PublishedDeployment[]> {
    return this.call({ method: 'GET', path: '', signal });
  }

  publish(
    { servedAs, model, version, sharePct, path, fileBytes, sha256 }: Publication,
    signal?: AbortSignal,
  ): Promise<readonly PublishedDeployment[]> {
    const query = new URLSearchParams({ model, sharePct: String(sharePct) });
    return this.call({
      method: 'PUT',
      path: `/${encodeURIComponent(servedAs)}/versions/${version}?${query.toString()}`,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(fileBytes),
        [SHA256_HEADER]: sha256,
      },
      body: createReadStream(path),
      signal,
    });
  }

  setCanary(servedAs: string, sharePct: number): Promise<readonly PublishedDeployment[]> {
    const body = JSON.stringify({ sharePct });
    return this.call({ method: 'POST', path: `/${encodeURIComponent(servedAs)}/traffic`, body });
  }

  rollBack(servedAs: string): Promise<readonly PublishedDeployment[]> {
    return this.call({ method: 'POST', path: `/${encodeURIComponent(servedAs)}/rollback` });
  }

  remove(servedAs: string): Promise<readonly PublishedDeployment[]> {
    return this.call({ method: 'DELETE', path: `/${encodeURIComponent(servedAs)}` });
  }

  private async call({ method, path, headers, body, signal }: Call): Promise<readonly PublishedDeployment[]> {
    const { token } = this.options;
    const { request } = await import('undici');
    const answer = await request(`${this.name}${DEPLOYMENTS_PATH}${path}`, {
      method,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body }),
      // Compiling a large model takes minutes.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(signal && { signal }),
    }).catch((cause: unknown) => {
      throw this.unreachable(cause, signal);
    });
    const text = await boundedText(answer.body).catch((cause: unknown) => {
      throw this.unreachable(cause, signal);
    });
    if (answer.statusCode >= 300) throw this.refusal(answer.statusCode, text);
    try {
      return deploymentListSchema.parse(JSON.parse(text)).deployments;
    } catch (cause) {
      throw new SluiceError(
        'unavailable',
        `${this.name} answered something that is no list of published models.`,
        {},
        { cause },
      );
    }
  }

  private refusal(status: number, text: string): SluiceError {
    const said = errorSchema.safeParse(jsonOf(text));
    if (!said.success) {
      const isForeign = status === 404 || status === 405 || status === 501;
      return new SluiceError(
        isForeign ? 'unsupported' : codeOfHttpStatus(status),
        isForeign
          ? `${this.name} does not take models: expected "sluice serve" of this version.`
          : `${this.name} answered HTTP ${status}: ${text.slice(0, MAX_ERROR_TEXT)}`,
        { status },
      );
    }
    const { error, code } = said.data;
    return new SluiceError(code, `${this.name}: ${error.slice(0, 4 * MAX_ERROR_TEXT)}`, {
      status,
    });
  }

  private unreachable(cause: unknown, signal: AbortSignal | undefined): SluiceError {
    if (signal?.aborted) return new SluiceError('cancelled', 'Publishing was cancelled.');
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new SluiceError('unavailable', `${this.name} can't be reached: ${reason}.`, {}, { cause });
  }
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined; // told by the caller, as any other address that can't be used
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a page of a foreign server
  }
}
