import type { Readable } from 'node:stream';

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { SluiceError } from '../../contract';
import { DEPLOYMENTS_PATH, SHA256_HEADER } from '../protocol/deployments';
import { readFrame } from '../protocol/frame';
import { parseMessage } from '../protocol/schemas';
import type { BearerToken } from './bearer-token';
import type { DeploymentService } from './deployment-service';
import type { ModelUpload } from './publisher';
import { signalOf } from './signal-of';

export interface DeploymentRoutesOptions {
  readonly deployments: DeploymentService;
  /** Who may change what answers; absent: nobody. */
  readonly guard: BearerToken | undefined;
  /** An upload that sends nothing for so long is cut off. */
  readonly stallMs: number;
}

const sharePct = z.coerce.number().min(0).max(100);
/** What a folder can be called everywhere, with room for version and hash behind it. */
const servedAs = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/,
    'expected 1 to 40 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
  );
const NO_HASH = `expected the file's SHA-256 in ${SHA256_HEADER}, 64 digits`;
const uploadSchema = z.object({
  servedAs,
  model: z.string().min(1).max(256),
  version: z.coerce.number().int().min(1).max(1e9),
  sharePct: sharePct.default(100),
  sha256: z.string({ error: NO_HASH }).regex(/^[0-9a-f]{64}$/, NO_HASH),
  fileBytes: z.coerce.number({ error: 'expected a content-length' }).int().min(1),
});
const trafficSchema = z.object({ sharePct });

type NamedRequest = FastifyRequest<{ readonly Params: { readonly name: string } }>;
type UploadRequest = FastifyRequest<{
  readonly Params: { readonly name: string; readonly version: string };
  readonly Querystring: { readonly model?: string; readonly sharePct?: string };
}>;

/** What is published; for a scope whose token was checked. */
export function addDeploymentRoutes(app: FastifyInstance, options: DeploymentRoutesOptions): void {
  const { deployments, guard } = options;
  app.get(DEPLOYMENTS_PATH, () => ({ deployments: deployments.list() }));
  const change = { onRequest: async ({ headers }: FastifyRequest) => checkDeployer(guard, headers) };
  app.post(`${DEPLOYMENTS_PATH}/:name/traffic`, {
    ...change,
    handler: async ({ params, body }: NamedRequest) => {
      const asked = parseMessage('The request', trafficSchema, jsonOf(body));
      return { deployments: await deployments.setCanary(params.name, asked.sharePct) };
    },
  });
  app.post(`${DEPLOYMENTS_PATH}/:name/rollback`, {
    ...change,
    handler: async ({ params }: NamedRequest) => ({ deployments: await deployments.rollBack(params.name) }),
  });
  app.delete(`${DEPLOYMENTS_PATH}/:name`, {
    ...change,
    handler: async ({ params }: NamedRequest) => ({ deployments: await deployments.remove(params.name) }),
  });
  // A scope of its own: its bodies stay streams and are never in memory.
  void app.register((scope: FastifyInstance) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    addUpload(scope, options);
    return Promise.resolve();
  });
}

function addUpload(scope: FastifyInstance, { deployments, guard, stallMs }: DeploymentRoutesOptions): void {
  scope.put(`${DEPLOYMENTS_PATH}/:name/versions/:version`, {
    onRequest: async (request: UploadRequest) => {
      checkDeployer(guard, request.headers);
      checkSize(uploadOf(request), deployments.mostBytes);
    },
    handler: async (request: UploadRequest, reply) => {
      const body = bodyOf(request, stallMs);
      return { deployments: await deployments.publish(uploadOf(request), body, signalOf(reply)) };
    },
  });
}

/** Whether a request brings a model, and may take long. */
export function isUpload({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): boolean {
  return method === 'PUT' && url.startsWith(`${DEPLOYMENTS_PATH}/`);
}

function uploadOf({ params, query, headers }: UploadRequest): ModelUpload {
  return parseMessage('The publication', uploadSchema, {
    servedAs: params.name,
    version: params.version,
    model: query.model ?? params.name,
    sharePct: query.sharePct,
    sha256: headers[SHA256_HEADER],
    fileBytes: headers['content-length'],
  });
}

/** @throws SluiceError `unauthorized`. */
function checkDeployer(
  guard: BearerToken | undefined,
  { authorization }: { readonly authorization?: string | undefined },
): void {
  if (guard) guard.check(authorization);
  else {
    throw new SluiceError(
      'unauthorized',
      'Nobody may publish here: the server was started without a token; start it with --deploy-token-file (or --token-file).',
    );
  }
}

/** @throws SluiceError `bad-input`. */
function checkSize({ servedAs: name, fileBytes }: ModelUpload, mostBytes: number): void {
  if (fileBytes <= mostBytes) return;
  throw new SluiceError(
    'bad-input',
    `${name}: expected a file of at most ${mostBytes} bytes, found ${fileBytes}; a larger limit is set with --upload-limit.`,
    { fileBytes, mostBytes },
  );
}

async function* bodyOf({ body, raw }: FastifyRequest, stallMs: number): AsyncGenerator<Uint8Array, void> {
  if (body === undefined) return;
  const stalled = (): void => void raw.destroy(new Error('nothing was sent for too long'));
  raw.socket.setTimeout(stallMs, stalled);
  try {
    yield* (body as Readable).iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } finally {
    raw.socket.setTimeout(0);
    raw.socket.off('timeout', stalled);
  }
}

function jsonOf(body: unknown): unknown {
  return readFrame('The request', body instanceof Uint8Array ? body : new Uint8Array(0), undefined).json;
}
