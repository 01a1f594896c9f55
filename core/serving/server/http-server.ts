import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { SluiceError } from '../../contract';
import { statusesOf } from '../protocol/status-codes';
import type { BearerToken } from './bearer-token';
import type { CompletionService } from './completion-service';
import type { DeploymentService } from './deployment-service';
import { addDeploymentRoutes, isUpload } from './deployment-routes';
import { createHttpApp, listenOn } from './http-app';
import type { Listener } from './http-app';
import { addHealthRoutes, addInferenceRoutes, addModelRoutes } from './http-routes';
import type { InferenceService } from './inference-service';
import type { KvPrefixes } from './kv-prefixes';
import { addKvRoutes } from './kv-routes';
import { addOpenAiRoutes } from './openai-routes';
import type { ServerLimits, TlsFiles } from './server-limits';

export interface HttpServerOptions {
  readonly service: InferenceService;
  /** Absent: no language models. */
  readonly completions?: CompletionService;
  /** Absent: no caches for other nodes. */
  readonly prefixes?: KvPrefixes;
  /** Absent: nothing is published here. */
  readonly deployments?: DeploymentService;
  readonly token: BearerToken;
  /** Of those who may publish. */
  readonly deployToken?: BearerToken;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly tls?: TlsFiles;
}

/**
 * The protocol over HTTP (REST), with statistics, the model repository and Prometheus metrics; and OpenAI's API.
 * @throws SluiceError `conflict` when the port is taken, `bad-input` for an unusable address or certificate.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<Listener> {
  const { service, completions, prefixes, deployments, token, host, port, limits, tls } = options;
  const { app } = await createHttpApp({
    limits: deployments ? { ...limits, requestTimeoutMs: limits.uploadTimeoutMs } : limits,
    tls,
    isOpen: token.isOpen,
    sendError,
  });
  if (deployments) endSlowRequests(app, limits.requestTimeoutMs);
  app.setNotFoundHandler((request, reply) => sendError(noRoute(request), reply));
  addHealthRoutes(app, service);
  await app.register((scope: FastifyInstance) => {
    scope.addHook('onRequest', async ({ headers }) => token.check(headers.authorization));
    addModelRoutes(scope, service);
    addInferenceRoutes(scope, service);
    if (deployments) {
      addDeploymentRoutes(scope, { deployments, guard: options.deployToken, stallMs: limits.stallMs });
    }
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
  return listenOn(app, host, port);
}

/** Node has one limit for all requests of a server; here it is that of uploads. */
function endSlowRequests(app: FastifyInstance, requestTimeoutMs: number): void {
  app.addHook('onRequest', async ({ raw, method, url }) => {
    if (isUpload({ method, url })) return;
    const timer = setTimeout(() => {
      if (!raw.complete) raw.socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    }, requestTimeoutMs);
    raw.once('close', () => clearTimeout(timer));
  });
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
