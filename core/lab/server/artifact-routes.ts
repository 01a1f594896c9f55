import type { Readable } from 'node:stream';

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { SluiceError } from '../../contract';
import { parseArtifactPath, type ArtifactPath } from '../artifacts/artifact-path';
import type { ArtifactInfo, ArtifactStore, OpenArtifact } from '../artifacts/artifact-store';
import { pathOfArtifactUri } from '../artifacts/artifact-uri';
import { parseByteRange } from './byte-range';
import type { LabRoutes } from './lab-server';
import { parseRequest } from './parse-request';

export interface ArtifactRoutesOptions {
  readonly store: ArtifactStore;
  /** Where a run's artifacts are (`mlflow-artifacts:/...`). @throws SluiceError `not-found`. */
  artifactUriOf(this: void, runId: string): string;
  /** An upload that sends nothing, or a download of which nothing is taken, for so long is cut off. */
  readonly stallMs: number;
}

const PROXY = '/api/2.0/mlflow-artifacts';
const FULL_DISK: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

const ListQuery = z.object({
  path: z.string().default(''),
  recursive: z.enum(['true', 'false']).default('false'),
});
const RunQuery = z
  .object({ run_id: z.string().optional(), run_uuid: z.string().optional(), path: z.string().default('') })
  .transform(({ run_id, run_uuid, path }) => ({ runId: run_id ?? run_uuid ?? '', path }))
  .refine(({ runId }) => runId !== '', { path: ['run_id'], message: 'expected the id of a run, found none' });

/** MLflow's artifact proxy (by path, without a look at runs) and its listing and download by run. */
export function artifactRoutes(options: ArtifactRoutesOptions): LabRoutes {
  return (app) => {
    void app.register((scope: FastifyInstance) => {
      streamBodies(scope);
      addProxy(scope, options);
      return Promise.resolve();
    });
    addRunRoutes(app, options);
    addUnsupported(app);
  };
}

function addProxy(scope: FastifyInstance, { store, stallMs }: ArtifactRoutesOptions): void {
  scope.get(`${PROXY}/artifacts`, async ({ query }) => {
    const { path, recursive } = parseRequest(ListQuery, query);
    return { files: fileInfos(await store.list(parseArtifactPath(path), recursive === 'true')) };
  });
  scope.route({
    method: ['GET', 'HEAD'],
    url: `${PROXY}/artifacts/*`,
    handler: async (request, reply) =>
      sendArtifact(request, reply, await store.read(pathIn(request)), stallMs),
  });
  scope.put(`${PROXY}/artifacts/*`, async (request, reply) => {
    try {
      await store.write(pathIn(request), bodyOf(request, stallMs));
      return {};
    } catch (cause) {
      // What the client still sends is read and dropped: only then does it look at the answer.
      request.raw.resume();
      return refuseUpload(cause, reply);
    }
  });
  scope.delete(`${PROXY}/artifacts/*`, async (request) => {
    await store.remove(pathIn(request));
    return {};
  });
}

function addRunRoutes(app: FastifyInstance, { store, artifactUriOf, stallMs }: ArtifactRoutesOptions): void {
  app.get('/api/2.0/mlflow/artifacts/list', async ({ query }) => {
    const { runId, path } = parseRequest(RunQuery, query);
    const uri = artifactUriOf(runId);
    const prefix = parseArtifactPath(path);
    const entries = await store.list([...pathOfArtifactUri(uri), ...prefix]);
    // By run, paths start at the run's folder; the proxy's start at the folder that is listed.
    const within = entries.map((entry) => ({ ...entry, path: [...prefix, entry.path].join('/') }));
    return { root_uri: uri, files: fileInfos(within) };
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/get-artifact',
    handler: async (request, reply) => {
      const { runId, path } = parseRequest(RunQuery, request.query);
      const place = [...pathOfArtifactUri(artifactUriOf(runId)), ...parseArtifactPath(path)];
      return sendArtifact(request, reply, await store.read(place), stallMs);
    },
  });
}

/** Clients that are told so, in these words, send the file in one piece (mlflow/exceptions.py). */
function addUnsupported(app: FastifyInstance): void {
  const refuse = (what: string) => () => {
    throw new SluiceError('unsupported', `${what} is not supported for the current artifact repository`);
  };
  for (const step of ['create', 'complete', 'abort']) {
    app.post(`${PROXY}/mpu/${step}`, refuse('Multipart upload'));
    app.post(`${PROXY}/mpu/${step}/*`, refuse('Multipart upload'));
  }
  app.get(`${PROXY}/presigned/*`, refuse('Presigned download'));
}

function pathIn(request: FastifyRequest): ArtifactPath {
  return parseArtifactPath((request.params as { readonly '*': string })['*']);
}

/** A scope whose bodies stay streams: an upload is as large as the disk allows and never in memory. */
export function streamBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/** A request's body, still to be read. Ending the loop early leaves the connection open for the answer. */
export async function* bodyOf(
  { body, raw }: FastifyRequest,
  stallMs: number,
): AsyncGenerator<Uint8Array, void> {
  // Without a body there is nothing to parse.
  if (body === undefined) return;
  raw.socket.setTimeout(stallMs);
  try {
    yield* (body as Readable).iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  } finally {
    // The disk may take its time.
    raw.socket.setTimeout(0);
  }
}

/** Answers a full disk with 507: on 500 MLflow's clients would send it all again, several times. @throws all else. */
function refuseUpload(cause: unknown, reply: FastifyReply): FastifyReply {
  if (!(cause instanceof SluiceError) || !FULL_DISK.includes(cause.details['errno'])) throw cause;
  return reply.code(507).send({ error_code: 'RESOURCE_EXHAUSTED', message: cause.message });
}

async function sendArtifact(
  { method, headers, raw }: FastifyRequest,
  reply: FastifyReply,
  artifact: OpenArtifact,
  stallMs: number,
): Promise<FastifyReply> {
  const { name, sizeBytes, modifiedMs, contentType } = artifact;
  const etag = `"${sizeBytes.toString(36)}-${Math.round(modifiedMs).toString(36)}"`;
  const ifRange = headers['if-range'];
  const isSame = ifRange === undefined || ifRange === etag;
  const range = isSame ? parseByteRange(headers.range, sizeBytes) : undefined;
  void reply.header('accept-ranges', 'bytes');
  if (range === 'unsatisfiable') {
    await artifact.close();
    const message = `Range ${headers.range}: expected one within ${sizeBytes} bytes.`;
    void reply.code(416).header('content-range', `bytes */${sizeBytes}`);
    return reply.send({ error_code: 'INVALID_PARAMETER_VALUE', message });
  }
  void reply.headers({
    etag,
    'last-modified': new Date(modifiedMs).toUTCString(),
    'content-type': contentType,
    'content-length': range ? range.last - range.first + 1 : sizeBytes,
    // What runs wrote is never shown as a page of this server.
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    'x-content-type-options': 'nosniff',
  });
  if (range) void reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${sizeBytes}`);
  if (method === 'HEAD') {
    await artifact.close();
    return reply.send('');
  }
  raw.socket.setTimeout(stallMs);
  return reply.send(artifact.stream(range));
}

function fileInfos(entries: readonly ArtifactInfo[]): readonly object[] {
  return entries.map(({ path, isFolder, sizeBytes }) =>
    isFolder ? { path, is_dir: true } : { path, is_dir: false, file_size: sizeBytes },
  );
}
