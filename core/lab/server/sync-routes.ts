import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { BearerToken } from '../../serving';
import type { LabSync } from '../sync/lab-sync';
import { newRemoteSchema } from '../sync/remote-types';
import { aboutSchema, offeredRunSchema, sentFileSchema, sentPointsSchema } from '../sync/sync-protocol';
import { parseArtifactPath } from '../artifacts/artifact-path';
import type { FileReceiver, SentContent } from '../sync/file-receiver';
import { bodyOf, streamBodies } from './artifact-routes';
import type { LabRoutes } from './lab-server';
import { parseJsonBody, parseRequest } from './parse-request';

const ROOT = '/api/sluice/sync';

type Named = FastifyRequest<{ readonly Params: { readonly name: string } }>;

export interface SyncRouteOptions {
  readonly sync: LabSync;
  /** Naming a remote sends it what the lab has: it takes what launching takes. */
  readonly guard: BearerToken;
  /** An upload that sends nothing for so long is cut off. */
  readonly stallMs: number;
}

/**
 * Store and forward, below `/api/sluice/sync`: what other labs send (`about`, `runs`, `points`, `files`) takes what logging takes;
 * `remotes` are where this lab sends to.
 */
export function syncRoutes({ sync, guard, stallMs }: SyncRouteOptions): LabRoutes {
  const { receiver, labId } = sync;
  return (app) => {
    app.get(`${ROOT}/about`, () => aboutSchema.parse({ labId }));
    app.post(`${ROOT}/runs`, ({ body }) => receiver.takeRun(parseJsonBody(offeredRunSchema, body)));
    app.post(`${ROOT}/points`, ({ body }) => receiver.takePoints(parseJsonBody(sentPointsSchema, body)));
    addFiles(app, sync.files, stallMs);
    void app.register((scope: FastifyInstance) => {
      scope.addHook('onRequest', async ({ headers }) => guard.check(headers.authorization));
      scope.get(`${ROOT}/remotes`, async () => ({ remotes: await sync.list() }));
      scope.post(`${ROOT}/remotes`, ({ body }) => sync.add(parseJsonBody(newRemoteSchema, body)));
      scope.post(`${ROOT}/remotes/:name/now`, ({ params }: Named) => sync.now(params.name));
      scope.delete(`${ROOT}/remotes/:name`, async ({ params }: Named) => {
        await sync.remove(params.name);
        return {};
      });
      return Promise.resolve();
    });
  };
}

function addFiles(app: FastifyInstance, files: FileReceiver, stallMs: number): void {
  app.get(`${ROOT}/files/*`, (request) => files.receivedOf(contentOf(request)));
  void app.register((scope: FastifyInstance) => {
    streamBodies(scope);
    scope.put(`${ROOT}/files/*`, async (request) => {
      try {
        const { from } = parseRequest(sentFileSchema, request.query);
        return await files.take(contentOf(request), from, bodyOf(request, stallMs));
      } catch (cause) {
        // What still comes is read and dropped: only then does the sender look at the answer.
        request.raw.resume();
        throw cause;
      }
    });
    return Promise.resolve();
  });
}

function contentOf({ params, query }: FastifyRequest): SentContent {
  const { bytes, sha256 } = parseRequest(sentFileSchema, query);
  return { path: parseArtifactPath((params as { readonly '*': string })['*']), bytes, sha256 };
}
