import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { BearerToken } from '../../serving';
import type { LabSync } from '../sync/lab-sync';
import { newRemoteSchema } from '../sync/remote-types';
import { aboutSchema, offeredRunSchema, sentPointsSchema } from '../sync/sync-protocol';
import type { LabRoutes } from './lab-server';
import { parseJsonBody } from './parse-request';

const ROOT = '/api/sluice/sync';

type Named = FastifyRequest<{ readonly Params: { readonly name: string } }>;

export interface SyncRouteOptions {
  readonly sync: LabSync;
  /** Naming a remote sends it what the lab has: it takes what launching takes. */
  readonly guard: BearerToken;
}

/**
 * Store and forward, below `/api/sluice/sync`: what other labs send (`about`, `runs`, `points`) takes what logging takes;
 * `remotes` are where this lab sends to.
 */
export function syncRoutes({ sync, guard }: SyncRouteOptions): LabRoutes {
  const { receiver, labId } = sync;
  return (app) => {
    app.get(`${ROOT}/about`, () => aboutSchema.parse({ labId }));
    app.post(`${ROOT}/runs`, ({ body }) => receiver.takeRun(parseJsonBody(offeredRunSchema, body)));
    app.post(`${ROOT}/points`, ({ body }) => receiver.takePoints(parseJsonBody(sentPointsSchema, body)));
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
