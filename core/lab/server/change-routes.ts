import { z } from 'zod';

import type { BearerToken } from '../../serving';
import type { LabChanges } from '../changes/lab-changes';
import { clientGone } from './client-gone';
import type { LabRoutes } from './lab-server';
import { parseRequest } from './parse-request';

const LONGEST_WAIT_MS = 60_000;

const changesQuery = z.object({
  since: z.string().max(100).exactOptional(),
  waitMs: z.coerce.number().min(0).max(LONGEST_WAIT_MS).default(0),
});

export interface ChangeRouteOptions {
  readonly changes: LabChanges;
  readonly guard: BearerToken;
}

/** What of the lab has changed since a revision, at `/api/sluice/changes`. */
export function changeRoutes({ changes, guard }: ChangeRouteOptions): LabRoutes {
  return (app) => {
    app.get('/api/sluice/changes', (request, reply) => {
      guard.check(request.headers.authorization);
      const { since, waitMs } = parseRequest(changesQuery, request.query);
      return changes.untilChange(since, waitMs, clientGone(reply));
    });
  };
}
