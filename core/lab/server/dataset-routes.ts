import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { datasetEditSchema, type DatasetUser } from '../datasets/dataset-types';
import type { Datasets } from '../datasets/datasets';
import { RemoteDatasets } from '../datasets/remote-datasets';
import { MAX_CHUNK_BYTES, MAX_MANIFEST_BYTES, sealManifest } from '../datasets/tree/manifest';
import { parseByteRange } from './byte-range';
import type { LabRoutes } from './lab-server';
import { parseJsonBody, parseRequest } from './parse-request';
import { tellProgress } from './told-progress';

const MAX_HASHES = 10_000;
const BASE = '/api/sluice/datasets';

const hashesSchema = z.strictObject({ chunks: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(MAX_HASHES) });
const listQuery = z.object({ search: z.string().max(200).default('') });
const readQuery = z.object({ hidden: z.enum(['true', 'false']).default('false') });
const verifyQuery = z.object({ progress: z.enum(['true', 'false']).default('false') });
const diffQuery = z.object({ from: z.string().max(100), to: z.string().max(100) });
const commitQuery = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  note: z.string().max(1000).default(''),
});

interface PathParams {
  readonly name: string;
  readonly version: string;
  readonly push: string;
  readonly hash: string;
}

export interface DatasetRouteOptions {
  readonly datasets: Datasets;
  /** Who sends a request that the server has let in. @throws SluiceError `unauthorized`. */
  readonly userOf: (request: FastifyRequest) => DatasetUser;
}

/** What clients of datasets use (`DatasetClient`), below `/api/sluice/datasets`. */
export function datasetRoutes({ datasets, userOf }: DatasetRouteOptions): LabRoutes {
  const remote = new RemoteDatasets(datasets);
  return (app) => {
    addCatalogRoutes(app, datasets, userOf);
    addReadRoutes(app, datasets, remote, userOf);
    addPushRoutes(app, remote, userOf);
  };
}

type UserOf = DatasetRouteOptions['userOf'];

function addCatalogRoutes(app: FastifyInstance, datasets: Datasets, userOf: UserOf): void {
  app.get(BASE, (request) => {
    const { search } = parseRequest(listQuery, request.query);
    return { datasets: datasets.list(userOf(request), search) };
  });
  app.get(`${BASE}/:name`, (request) => datasets.get(userOf(request), paramsOf(request).name));
  app.patch(`${BASE}/:name`, (request) => {
    const edit = parseJsonBody(datasetEditSchema, request.body);
    return datasets.edit(userOf(request), paramsOf(request).name, edit);
  });
  app.delete(`${BASE}/:name`, (request) => {
    datasets.catalog.remove(userOf(request), paramsOf(request).name);
    return {};
  });
  app.delete(`${BASE}/:name/versions/:version`, (request) => {
    const { name, version } = paramsOf(request);
    return datasets.removeVersion(userOf(request), name, version);
  });
  app.get(`${BASE}/:name/diff`, (request) => {
    const { from, to } = parseRequest(diffQuery, request.query);
    return datasets.diff(userOf(request), paramsOf(request).name, from, to);
  });
}

function addReadRoutes(
  app: FastifyInstance,
  datasets: Datasets,
  remote: RemoteDatasets,
  userOf: UserOf,
): void {
  app.get(`${BASE}/:name/versions/:version`, (request) => {
    const { name, version } = paramsOf(request);
    return datasets.catalog.version(userOf(request), name, version);
  });
  app.get(`${BASE}/:name/versions/:version/files`, async (request) => {
    const { name, version } = paramsOf(request);
    return { files: await datasets.files(userOf(request), name, version) };
  });
  app.post(`${BASE}/:name/versions/:version/verify`, async (request, reply) => {
    const { name, version } = paramsOf(request);
    const user = userOf(request);
    const { progress } = parseRequest(verifyQuery, request.query);
    if (progress === 'false') return { damaged: await datasets.verify(user, name, version) };
    const { clock } = datasets.trees.chunks;
    return tellProgress(
      reply,
      () => clock.nowMs(),
      async (work) => ({
        damaged: await datasets.verify(user, name, version, work),
      }),
    );
  });
  app.get(`${BASE}/:name/versions/:version/manifest`, async (request, reply) => {
    const { name, version } = paramsOf(request);
    const manifest = await datasets.manifest(userOf(request), name, version, accessOf(request));
    const { hash, text } = sealManifest(manifest);
    return reply.type('application/json').header('etag', `"${hash}"`).send(text);
  });
  app.get(`${BASE}/:name/versions/:version/chunks/:hash`, async (request, reply) => {
    const { name, version, hash } = paramsOf(request);
    const bytes = await remote.chunk(userOf(request), name, version, hash, accessOf(request));
    return sendRange(request, reply, bytes);
  });
}

function addPushRoutes(app: FastifyInstance, remote: RemoteDatasets, userOf: UserOf): void {
  const keyOf = (request: FastifyRequest) => ({ ...paramsOf(request), user: userOf(request) });
  app.post(`${BASE}/:name/pushes/:push/missing`, async (request) => {
    const { chunks } = parseJsonBody(hashesSchema, request.body);
    return { missing: await remote.missing(keyOf(request), chunks) };
  });
  app.put(`${BASE}/:name/pushes/:push/chunks/:hash`, { bodyLimit: MAX_CHUNK_BYTES }, async (request) => ({
    outcome: await remote.put(keyOf(request), paramsOf(request).hash, bytesOf(request)),
  }));
  app.post(`${BASE}/:name/pushes/:push/commit`, { bodyLimit: MAX_MANIFEST_BYTES }, async (request, reply) => {
    const { hash, note } = parseRequest(commitQuery, request.query);
    const outcome = await remote.commit(keyOf(request), hash, bytesOf(request), note);
    if ('version' in outcome) return outcome;
    return reply.code(409).send({
      error_code: 'MISSING_CHUNKS',
      message: `${outcome.missing.length} chunks are missing; send those in "missing", then commit again.`,
      missing: outcome.missing,
    });
  });
}

function sendRange(request: FastifyRequest, reply: FastifyReply, bytes: Buffer): FastifyReply {
  const range = parseByteRange(request.headers.range, bytes.length);
  void reply.type('application/octet-stream').header('accept-ranges', 'bytes');
  if (range === undefined) return reply.send(bytes);
  if (range === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${bytes.length}`);
    return reply.code(416).send(Buffer.alloc(0));
  }
  const { first, last } = range;
  void reply.header('content-range', `bytes ${first}-${last}/${bytes.length}`);
  return reply.code(206).send(bytes.subarray(first, last + 1));
}

function accessOf(request: FastifyRequest): { withHidden: boolean } {
  return { withHidden: parseRequest(readQuery, request.query).hidden === 'true' };
}

/** Each handler reads those that its path has. */
function paramsOf(request: FastifyRequest): PathParams {
  return request.params as PathParams;
}

function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
