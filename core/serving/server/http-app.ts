import { createServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';

import { SluiceError } from '../../contract';
import { listenError } from './listen-error';
import type { ServerLimits, TlsFiles } from './server-limits';
import { refuseWebPages } from './web-pages';

/** How often Node looks for requests that take too long. */
const LONGEST_TIMEOUT_CHECK_MS = 1000;
/** Connections that are still busy that long after the last answer are cut. */
const CLOSING_MS = 1000;

export interface HttpAppOptions {
  readonly limits: ServerLimits;
  readonly tls: TlsFiles | undefined;
  /** Whether no token is asked for. */
  readonly isOpen: boolean;
  /** Answers a request that failed. */
  sendError(this: void, error: FastifyError | SluiceError, reply: FastifyReply): void;
}

/** In a property, because an instance is a promise of itself: awaited, it would begin before it has its routes. */
export interface HttpApp {
  readonly app: FastifyInstance;
}

/** A server that listens. */
export interface Listener {
  readonly port: number;
  /** Stops listening and ends the connections. */
  close(): Promise<void>;
}

/**
 * A server for programs: bodies come as bytes whatever type they claim, slow peers and compressed bodies are refused,
 * and so are web pages. Its library is loaded now: it needs Node 20, while whoever wants the rest of serving alone may run in
 * an older Electron.
 * @throws SluiceError `bad-input` for an unusable certificate.
 */
export async function createHttpApp({ limits, tls, isOpen, sendError }: HttpAppOptions): Promise<HttpApp> {
  const { fastify } = await import('fastify');
  const app = fastify({
    serverFactory: (listener: RequestListener) => nodeServer(listener, limits, tls),
    bodyLimit: limits.bodyBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
    frameworkErrors: (error, _request, reply) => sendError(error, reply),
  });
  // Clients send any content type or none.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: FastifyError | SluiceError, _request, reply) => sendError(error, reply));
  app.addHook('onRequest', async ({ headers }) => {
    refuseWebPages(headers, isOpen);
    refuseCompression(headers['content-encoding']);
  });
  return { app };
}

/** @throws SluiceError `conflict` when the port is taken, `bad-input` for an unusable address. */
export async function listenOn(app: FastifyInstance, host: string, port: number): Promise<Listener> {
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw listenError(host, port, '--port', cause);
  });
  return { port: (app.server.address() as AddressInfo).port, close: () => closeApp(app) };
}

function nodeServer(listener: RequestListener, limits: ServerLimits, tls: TlsFiles | undefined): Server {
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

/** @throws SluiceError `unsupported`. */
function refuseCompression(encoding = 'identity'): void {
  if (encoding === 'identity') return;
  throw new SluiceError('unsupported', `Bodies are taken as they are; send this one without ${encoding}.`);
}

async function closeApp(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSING_MS);
  await app.close();
  clearTimeout(timer);
}
