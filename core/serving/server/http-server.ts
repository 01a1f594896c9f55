import { createServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { fastify } from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { SluiceError } from '../../contract';
import { statusesOf } from '../protocol/status-codes';
import type { BearerToken } from './bearer-token';
import type { CompletionService } from './completion-service';
import { addHealthRoutes, addInferenceRoutes, addModelRoutes } from './http-routes';
import type { InferenceService } from './inference-service';
import type { KvPrefixes } from './kv-prefixes';
import { addKvRoutes } from './kv-routes';
import { listenError } from './listen-error';
import { addOpenAiRoutes } from './openai-routes';
import type { ServerLimits, TlsFiles } from './server-limits';

/** How often Node looks for requests that take too long. */
const LONGEST_TIMEOUT_CHECK_MS = 1000;
/** Connections that are still busy that long after the last answer are cut. */
const CLOSING_MS = 1000;

export interface HttpServerOptions {
  readonly service: InferenceService;
  /** Absent: no language models. */
  readonly completions?: CompletionService;
  /** Absent: no caches for other nodes. */
  readonly prefixes?: KvPrefixes;
  readonly token: BearerToken;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly tls?: TlsFiles;
}

/** A server that listens. */
export interface Listener {
  readonly port: number;
  /** Stops listening and ends the connections. */
  close(): Promise<void>;
}

/**
 * The protocol over HTTP (REST), with statistics, the model repository and Prometheus metrics; and OpenAI's API.
 * @throws SluiceError `conflict` when the port is taken, `bad-input` for an unusable address or certificate.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<Listener> {
  const { service, completions, prefixes, token, host, port, limits } = options;
  const app = fastify({
    serverFactory: (listener: RequestListener) => nodeServer(listener, options),
    bodyLimit: limits.bodyBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
    frameworkErrors: (error, _request, reply) => sendError(error, reply),
  });
  // Clients of the protocol send any content type or none.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: FastifyError | SluiceError, _request, reply) => sendError(error, reply));
  app.setNotFoundHandler((request, reply) => sendError(noRoute(request), reply));
  app.addHook('onRequest', async ({ headers }) => {
    refuseWebPages(headers.origin);
    refuseCompression(headers['content-encoding']);
  });
  addHealthRoutes(app, service);
  await app.register((scope: FastifyInstance) => {
    scope.addHook('onRequest', async ({ headers }) => token.check(headers.authorization));
    addModelRoutes(scope, service);
    addInferenceRoutes(scope, service);
    return Promise.resolve();
  });
  if (completions) {
    const addRoutes = (scope: FastifyInstance): Promise<void> => {
      scope.addHook('onRequest', async ({ headers }) => token.check(headers.authorization));
      addOpenAiRoutes(scope, { completions, bodyBytes: limits.bodyBytes, stallMs: limits.stallMs });
      return Promise.resolve();
    };
    await app.register(addRoutes, { prefix: '/v1' });
  }
  if (completions && prefixes) {
    const addRoutes = (scope: FastifyInstance): Promise<void> => {
      scope.addHook('onRequest', async ({ headers }) => token.check(headers.authorization));
      const { bodyBytes, stallMs } = limits;
      addKvRoutes(scope, { prefixes, completions, bodyBytes, stallMs });
      return Promise.resolve();
    };
    await app.register(addRoutes, { prefix: '/v1/kv' });
  }
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw listenError(host, port, '--port', cause);
  });
  return { port: (app.server.address() as AddressInfo).port, close: () => closeApp(app) };
}

function nodeServer(listener: RequestListener, { limits, tls }: HttpServerOptions): Server {
  const { headersTimeoutMs, requestTimeoutMs, connections } = limits;
  // The headers are part of the request.
  const shortest = Math.min(headersTimeoutMs, requestTimeoutMs);
  const options: ServerOptions = {
    headersTimeout: shortest,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(LONGEST_TIMEOUT_CHECK_MS, shortest / 2),
  };
  const server = tls ? tlsServer({ ...options, ...tls }, listener) : createServer(options, listener);
  server.maxConnections = connections;
  return server;
}

/** @throws SluiceError `bad-input` for files that are no certificate and its key. */
function tlsServer(options: ServerOptions & TlsFiles, listener: RequestListener): Server {
  try {
    return createTlsServer(options, listener);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `TLS: expected a PEM certificate chain and its private key, found ${problem}.`,
      {},
      { cause },
    );
  }
}

/** Web pages always tell their origin when they post: without this, any site could use a server on this machine. */
function refuseWebPages(origin: string | undefined): void {
  if (origin === undefined) return;
  throw new SluiceError('unauthorized', `This server is not for web pages; one of ${origin} asked.`);
}

/** @throws SluiceError `unsupported`. */
function refuseCompression(encoding = 'identity'): void {
  if (encoding === 'identity') return;
  throw new SluiceError('unsupported', `Bodies are taken as they are; send this one without ${encoding}.`);
}

function noRoute({ method, url }: FastifyRequest): SluiceError {
  return new SluiceError(
    'not-found',
    `${method} ${url.slice(0, 200)} is not an operation of the Open Inference Protocol v2.`,
  );
}

/** The framework's own refusals (too large, wrong length, ...) keep their status. */
function sendError(thrown: FastifyError | SluiceError, reply: FastifyReply): void {
  const error = SluiceError.from(thrown);
  const own = thrown instanceof SluiceError ? undefined : thrown.statusCode;
  const { retryAfterSec } = error.details;
  if (typeof retryAfterSec === 'number') void reply.header('retry-after', retryAfterSec);
  const code = own !== undefined && own < 500 ? 'bad-input' : error.code;
  void reply.code(own ?? statusesOf(error.code).http).send({ error: error.message, code });
}

async function closeApp(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSING_MS);
  await app.close();
  clearTimeout(timer);
}
