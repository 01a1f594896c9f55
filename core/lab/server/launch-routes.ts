import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { isAbsolute } from 'node:path';

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { SluiceError } from '../../contract';
import type { BearerToken } from '../../serving';
import { hasEnded } from '../jobs/job-state';
import type { RunService } from '../runs/run-service';
import { runPlanSchema } from '../runs/run-types';
import { clientGone } from './client-gone';
import type { LabRoutes } from './lab-server';
import { parseJsonBody, parseRequest } from './parse-request';

const RUNS = '/api/sluice/runs';
const MOST_LISTED = 10_000;
/** How often a log that is followed is looked at again. */
const FOLLOW_MS = 250;

const listQuery = z.object({
  user: z.string().max(100).exactOptional(),
  limit: z.coerce.number().int().min(1).max(MOST_LISTED).default(100),
  open: z.enum(['true', 'false']).default('false'),
});
const logQuery = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  follow: z.enum(['true', 'false']).default('false'),
});
const launchSchema = runPlanSchema.extend({
  dataset: z.string().max(300).exactOptional(),
  folder: z.string().refine(isAbsolute, 'expected an absolute path on the machine of the lab'),
});
const forkSchema = runPlanSchema.partial().extend({ checkpoint: z.string().max(1000).exactOptional() });
const stopSchema = z.strictObject({ graceMs: z.number().min(0).max(3_600_000).default(10_000) });
const diffQuery = z.object({ from: z.string().max(300), to: z.string().max(300) });

type Named = FastifyRequest<{ readonly Params: { readonly run: string } }>;

export interface LaunchRouteOptions {
  readonly runs: RunService;
  /** Starting programs takes more than reaching the server: other users of the machine can do that too. */
  readonly guard: BearerToken;
  readonly userOf: (request: FastifyRequest) => string;
}

/**
 * Launching and looking after runs, below `/api/sluice/runs`. A run is named by its id or by
 * `user/dataset/N`, percent-encoded.
 */
export function launchRoutes(options: LaunchRouteOptions): LabRoutes {
  return (app) => {
    void app.register((scope: FastifyInstance) => {
      scope.addHook('onRequest', async ({ headers }) => options.guard.check(headers.authorization));
      addRunRoutes(scope, options);
      addLogRoute(scope, options.runs);
      return Promise.resolve();
    });
  };
}

function addRunRoutes(app: FastifyInstance, { runs, userOf }: LaunchRouteOptions): void {
  app.get(RUNS, ({ query }) => {
    const { user, limit, open } = parseRequest(listQuery, query);
    return { runs: runs.list({ most: limit, user, isOpen: open === 'true' }) };
  });
  app.post(RUNS, (request) =>
    runs.launch({ ...parseJsonBody(launchSchema, request.body), user: userOf(request) }),
  );
  app.get(`${RUNS}/diff`, async ({ query }) => {
    const { from, to } = parseRequest(diffQuery, query);
    return { differences: await runs.diff(from, to) };
  });
  app.get(`${RUNS}/:run`, ({ params }: Named) => runs.get(params.run));
  app.post(`${RUNS}/:run/fork`, (request: Named) => {
    const changes = parseJsonBody(forkSchema, request.body);
    return runs.fork({ ...changes, user: userOf(request), parent: request.params.run });
  });
  app.post(`${RUNS}/:run/resume`, ({ params }: Named) => runs.resume(params.run));
  app.post(`${RUNS}/:run/stop`, ({ params, body }: Named) =>
    runs.stop(params.run, parseJsonBody(stopSchema, body).graceMs),
  );
  app.delete(`${RUNS}/:run`, async ({ params }: Named) => {
    await runs.remove(params.run);
    return {};
  });
}

function addLogRoute(app: FastifyInstance, runs: RunService): void {
  app.get(`${RUNS}/:run/log`, async (request: Named, reply) => {
    const { run } = request.params;
    const { offset, follow } = parseRequest(logQuery, request.query);
    const { bytes } = await runs.log(run);
    if (offset > bytes) {
      throw new SluiceError(
        'bad-input',
        `The log of ${run} has ${bytes} bytes; offset ${offset} is past its end.`,
      );
    }
    const following = follow === 'true' ? clientGone(reply) : undefined;
    const text = Readable.from(logText(runs, run, offset, following));
    return reply.type('text/plain; charset=utf-8').send(text);
  });
}

/** What is there, and with `following` what comes until the run has ended. */
async function* logText(
  runs: RunService,
  run: string,
  offset: number,
  following: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (let at = offset; ;) {
    // Asked first: what it wrote before its end is in the file then.
    const isLast = hasEnded(runs.get(run));
    const { file, bytes } = await runs.log(run);
    if (bytes > at) {
      for await (const chunk of createReadStream(file, { start: at, end: bytes - 1 }))
        yield chunk as Uint8Array;
      at = bytes;
    }
    if (!following || following.aborted || isLast) return;
    await changeOf(runs, following);
  }
}

/** Waits for a change of any run, or a while: logs grow untold. */
function changeOf(runs: RunService, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unwatch();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, FOLLOW_MS);
    const unwatch = runs.watch(done);
    signal.addEventListener('abort', done);
  });
}
