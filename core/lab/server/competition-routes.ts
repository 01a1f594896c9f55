import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Competition } from '../competitions/competition-store';
import type { Competitions } from '../competitions/competitions';
import type { LabRoutes } from './lab-server';
import { parseJsonBody } from './parse-request';

const ROOT = '/api/sluice/competitions';

const submissionSchema = z.strictObject({
  runId: z.string().regex(/^[0-9a-f]{32}$/, 'expected the 32 hexadecimal digits of a run'),
  checkpoint: z.string().min(1).max(500).exactOptional(),
  isDryRun: z.boolean().default(false),
});

type Named = FastifyRequest<{ readonly Params: { readonly name: string } }>;

/**
 * Competitions over HTTP: `GET` the list, `GET /:name`, `POST` a new one, `POST /:name/submissions` with `{runId,
 * checkpoint?, isDryRun?}`, `GET /:name/board` for all, `GET /:name/submissions` for the asking user's own.
 * @param userOf who asks; it refuses (`unauthorized`) whoever may not submit or create.
 */
export function competitionRoutes(
  competitions: Competitions,
  userOf: (request: FastifyRequest) => string,
): LabRoutes {
  return (app) => {
    app.get(ROOT, () => ({ competitions: competitions.list().map(shown) }));
    app.get(`${ROOT}/:name`, (request: Named) => {
      const { name } = request.params;
      return { ...shown(competitions.get(name)), leftToday: competitions.leftToday(name, userOf(request)) };
    });
    app.post(ROOT, async (request, reply) => {
      const created = await competitions.create(parseJsonBody(z.unknown(), request.body), userOf(request));
      return reply.code(201).send(shown(created));
    });
    app.post(`${ROOT}/:name/submissions`, (request: Named, reply: FastifyReply) => {
      const { runId, checkpoint, isDryRun } = parseJsonBody(submissionSchema, request.body);
      const { name: competition } = request.params;
      const user = userOf(request);
      return reply.code(202).send(competitions.submit({ competition, user, runId, checkpoint, isDryRun }));
    });
    app.get(`${ROOT}/:name/submissions`, (request: Named) => ({
      submissions: competitions.history(request.params.name, userOf(request)),
    }));
    app.get(`${ROOT}/:name/board`, ({ params: { name } }: Named) => ({
      metric: competitions.get(name).metric,
      rows: competitions.board(name),
    }));
  };
}

/** Without where the answers are and how a program scores them. */
function shown({ hiddenPath: _, evaluator, ...rest }: Competition): object {
  return { ...rest, evaluator: 'builtIn' in evaluator ? evaluator.builtIn : 'command' };
}
