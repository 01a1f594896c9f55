import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Competition, Submission } from '../competitions/competition-store';
import type { Competitions } from '../competitions/competitions';
import type { LabRoutes } from './lab-server';
import { parseJsonBody, parseRequest } from './parse-request';

const ROOT = '/api/sluice/competitions';

const submissionSchema = z.strictObject({
  runId: z.string().regex(/^[0-9a-f]{32}$/, 'expected the 32 hexadecimal digits of a run'),
  checkpoint: z.string().min(1).max(500).exactOptional(),
  isDryRun: z.boolean().default(false),
});

const listQuery = z.object({ left: z.enum(['true', 'false']).default('false') });
const boardQuery = z.object({ own: z.enum(['true', 'false']).default('false') });

type Named = FastifyRequest<{ readonly Params: { readonly name: string } }>;

/**
 * Competitions over HTTP: `GET` the list, `GET /:name`, `POST` a new one, `POST /:name/submissions` with `{runId,
 * checkpoint?, isDryRun?}`, `GET /:name/board` for all (`?own=true`: with the run of the asking user's own row), `GET /:name/submissions`
 * for the asking user's own. `?left=true` tells with the list how many more the user may submit today.
 * @param userOf who asks; it refuses (`unauthorized`) whoever may not submit or create.
 * @param runNameOf a run's name, while the lab knows it.
 */
export function competitionRoutes(
  competitions: Competitions,
  userOf: (request: FastifyRequest) => string,
  runNameOf: (runId: string) => string | undefined,
): LabRoutes {
  const named = (submission: Submission): object => ({ ...submission, runName: runNameOf(submission.runId) });
  return (app) => {
    app.get(ROOT, (request) => {
      const { left } = parseRequest(listQuery, request.query);
      const user = left === 'true' ? userOf(request) : undefined;
      return {
        competitions: competitions.list().map((one) => ({
          ...shown(one),
          ...(user !== undefined && { leftToday: competitions.leftToday(one.name, user) }),
        })),
      };
    });
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
      return reply
        .code(202)
        .send(named(competitions.submit({ competition, user, runId, checkpoint, isDryRun })));
    });
    app.get(`${ROOT}/:name/submissions`, (request: Named) => ({
      submissions: competitions.history(request.params.name, userOf(request)).map(named),
    }));
    app.get(`${ROOT}/:name/board`, (request: Named) => {
      const { name } = request.params;
      const { own } = parseRequest(boardQuery, request.query);
      const { metric } = competitions.get(name);
      return { metric, rows: competitions.board(name, own === 'true' ? userOf(request) : undefined) };
    });
  };
}

/** Without where the answers are and how a program scores them. */
function shown({ hiddenPath: _, evaluator, ...rest }: Competition): object {
  return { ...rest, evaluator: 'builtIn' in evaluator ? evaluator.builtIn : 'command' };
}
