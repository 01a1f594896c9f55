import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { CollectOptions, CollectedRoom } from '../collect-lab';
import { clientGone } from './client-gone';
import type { LabRoutes } from './lab-server';
import { parseJsonBody } from './parse-request';

const collectSchema = z.strictObject({
  /** A minute covers what the clocks of processes differ by. */
  graceMs: z.number().min(60_000).max(1e12).default(60_000),
});

/**
 * `POST /api/sluice/collect` frees the room of what nothing needs any more.
 * @param check refuses (`unauthorized`) whoever may not launch runs.
 */
export function collectRoutes(
  collect: (options: CollectOptions) => Promise<CollectedRoom>,
  check: (request: FastifyRequest) => unknown,
): LabRoutes {
  return (app) => {
    app.post('/api/sluice/collect', (request, reply) => {
      check(request);
      const { graceMs } = parseJsonBody(collectSchema, request.body);
      return collect({ graceMs, signal: clientGone(reply) });
    });
  };
}
