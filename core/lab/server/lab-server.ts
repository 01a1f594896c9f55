import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { SluiceError } from '../../contract';
import type { ErrorCode } from '../../contract';
import { createHttpApp, isLoopback, listenOn, statusesOf } from '../../serving';
import type { BearerToken, Listener, ServerLimits, TlsFiles } from '../../serving';
import { toldDetails } from './told-details';

export interface LabServerOptions {
  /** What the lab's areas answer; each names whole paths. */
  readonly routes: readonly LabRoutes[];
  /** Absent: whoever reaches the server may use it, so it must be on loopback. */
  readonly token: BearerToken | undefined;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly tls?: TlsFiles;
}

/** Adds the routes of one area. */
export type LabRoutes = (app: FastifyInstance) => void;

/**
 * The lab's HTTP server. Errors have the shape that MLflow's clients read, `{error_code, message}`; those of the lab's
 * own operations have `details` too, where there are any.
 * @throws SluiceError `bad-input` (an address beyond loopback without a token, an unusable certificate), `conflict`
 * (the port is taken).
 */
export async function startLabServer(options: LabServerOptions): Promise<Listener> {
  const { routes, token, host, port, limits, tls } = options;
  if (!token && !isLoopback(host)) {
    throw new SluiceError(
      'bad-input',
      `${host} is not this machine alone: a lab that others can reach needs a token. Give one with --token-file.`,
      { host },
    );
  }
  const { app } = await createHttpApp({ limits, tls, isOpen: token?.isOpen ?? true, sendError });
  app.setNotFoundHandler((request, reply) => sendError(noRoute(request), reply));
  app.get('/health', (_request, reply) => reply.type('text/plain').send('OK'));
  await app.register((scope: FastifyInstance) => {
    if (token) scope.addHook('onRequest', async ({ headers }) => token.check(headers.authorization));
    for (const add of routes) add(scope);
    return Promise.resolve();
  });
  return listenOn(app, host, port);
}

/** Below it are the lab's own operations; all else answers as MLflow does, to the letter. */
const OWN = '/api/sluice/';

/** MLflow's names of what goes wrong (mlflow/protos/databricks.proto, enum ErrorCode). */
const MLFLOW_CODES: Partial<Record<ErrorCode, string>> = {
  'bad-input': 'INVALID_PARAMETER_VALUE',
  'not-found': 'RESOURCE_DOES_NOT_EXIST',
  conflict: 'RESOURCE_ALREADY_EXISTS',
  unsupported: 'NOT_IMPLEMENTED',
  unauthorized: 'UNAUTHENTICATED',
  overloaded: 'REQUEST_LIMIT_EXCEEDED',
  unavailable: 'TEMPORARILY_UNAVAILABLE',
  cancelled: 'CANCELLED',
};

/** MLflow answers what exists already, or can't be changed, with 400. */
function statusOf(code: ErrorCode): number {
  return code === 'conflict' ? 400 : statusesOf(code).http;
}

function sendError(thrown: FastifyError | SluiceError, reply: FastifyReply): void {
  const error = SluiceError.from(thrown);
  // The framework's own refusals (too large, wrong length, ...) keep their status.
  const own = thrown instanceof SluiceError ? undefined : thrown.statusCode;
  const code = own !== undefined && own < 500 ? 'bad-input' : error.code;
  const { errorCode } = error.details;
  const details = reply.request.url.startsWith(OWN) ? toldDetails(error) : {};
  void reply.code(own ?? statusOf(code)).send({
    error_code: typeof errorCode === 'string' ? errorCode : (MLFLOW_CODES[code] ?? 'INTERNAL_ERROR'),
    message: error.message,
    ...(Object.keys(details).length > 0 && { details }),
  });
}

/** 404 with the code that makes MLflow's clients fall back to older operations. */
function noRoute({ method, url }: FastifyRequest): SluiceError {
  return new SluiceError('not-found', `${method} ${url.slice(0, 200)} is not an operation of this lab.`, {
    errorCode: 'ENDPOINT_NOT_FOUND',
  });
}
