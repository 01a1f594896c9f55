import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { BearerToken } from '../../serving';
import { narrowRequestSchema, searchRequestSchema } from '../search/runs/launch-plan';
import type { Searches } from '../search/runs/searches';
import type { LabRoutes } from './lab-server';
import { parseJsonBody } from './parse-request';

const SEARCHES = '/api/sluice/searches';

type Named = FastifyRequest<{ readonly Params: { readonly search: string } }>;

export interface SearchRouteOptions {
  readonly searches: Searches;
  /** As for launching runs: that is what a search does. */
  readonly guard: BearerToken;
  readonly userOf: (request: FastifyRequest) => string;
}

/** Hyper-parameter searches, below `/api/sluice/searches`. */
export function searchRoutes({ searches, guard, userOf }: SearchRouteOptions): LabRoutes {
  return (app) => {
    void app.register((scope: FastifyInstance) => {
      scope.addHook('onRequest', async ({ headers }) => guard.check(headers.authorization));
      scope.get(SEARCHES, () => ({ searches: searches.list() }));
      scope.post(SEARCHES, (request) =>
        searches.create(parseJsonBody(searchRequestSchema, request.body), userOf(request)),
      );
      scope.get(`${SEARCHES}/:search`, ({ params }: Named) => searches.get(params.search));
      scope.post(`${SEARCHES}/:search/stop`, ({ params }: Named) => searches.stop(params.search));
      scope.post(`${SEARCHES}/:search/resume`, ({ params }: Named) => searches.resume(params.search));
      scope.post(`${SEARCHES}/:search/narrow`, (request: Named) => {
        const asked = parseJsonBody(narrowRequestSchema, request.body);
        return searches.narrow(request.params.search, asked, userOf(request));
      });
      scope.delete(`${SEARCHES}/:search`, ({ params }: Named) => {
        searches.discard(params.search);
        return {};
      });
      return Promise.resolve();
    });
  };
}
