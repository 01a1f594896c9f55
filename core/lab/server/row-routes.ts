import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Clock } from '../../base';
import type { BearerToken } from '../../serving';
import type { RunPages } from '../rows/run-pages';
import type { RunRows } from '../rows/run-rows';
import { logPart } from '../runs/log-part';
import type { RunService } from '../runs/run-service';
import { clientGone } from './client-gone';
import type { LabRoutes } from './lab-server';
import { parseRequest } from './parse-request';

const ROWS = '/api/sluice/rows';
const MOST_SERIES = 100;
const MOST_POINTS = 2500;
const MOST_FILTER_CHARACTERS = 4000;
const LONGEST_WAIT_MS = 30_000;

const reference = z.string().min(1).max(300);
const path = z.string().max(2000);
const sinceQuery = z.object({ since: z.string().max(100).exactOptional() });
const findQuery = z.object({ filter: z.string().max(MOST_FILTER_CHARACTERS) });
const diffQuery = z.object({ from: reference, to: reference });
const logQuery = z.object({
  offset: z.coerce.number().int(),
  waitMs: z.coerce.number().min(0).max(LONGEST_WAIT_MS).default(0),
});
const listQuery = z.object({ path: path.default('') });
const readQuery = z.object({ path, mostBytes: z.coerce.number().int().min(0) });
const step = z.coerce.number().int();
const seriesQuery = z
  .object({
    runIds: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(z.string().regex(/^[0-9a-f]{32}$/, 'expected ids of runs')).max(MOST_SERIES)),
    key: z.string().min(1).max(300),
    points: z.coerce.number().int().min(1).max(MOST_POINTS),
    fromStep: step.exactOptional(),
    toStep: step.exactOptional(),
  })
  .refine(({ fromStep, toStep }) => (fromStep === undefined) === (toStep === undefined), {
    path: ['toStep'],
    message: 'expected both fromStep and toStep, or none',
  })
  .refine(({ fromStep = 0, toStep = fromStep }) => fromStep <= toStep, {
    path: ['toStep'],
    message: 'expected fromStep or more',
  });

type Named = FastifyRequest<{ readonly Params: { readonly run: string } }>;

export interface RowRouteOptions {
  readonly rows: RunRows;
  readonly pages: RunPages;
  readonly runs: RunService;
  readonly clock: Clock;
  readonly guard: BearerToken;
}

/**
 * What is shown of runs, launched or logged, below `/api/sluice/rows`. A run is named by its id or by `user/dataset/N`,
 * percent-encoded.
 */
export function rowRoutes(options: RowRouteOptions): LabRoutes {
  return (app) => {
    void app.register((scope: FastifyInstance) => {
      scope.addHook('onRequest', async ({ headers }) => options.guard.check(headers.authorization));
      addAllRoutes(scope, options);
      addRunRoutes(scope, options);
      return Promise.resolve();
    });
  };
}

function addAllRoutes(app: FastifyInstance, { rows, pages }: RowRouteOptions): void {
  app.get(ROWS, ({ query }) => rows.since(parseRequest(sinceQuery, query).since));
  app.get(`${ROWS}/find`, ({ query }) => ({
    runIds: rows.find(parseRequest(findQuery, query).filter),
  }));
  app.get(`${ROWS}/series`, ({ query }) => {
    const { runIds, key, points, fromStep, toStep } = parseRequest(seriesQuery, query);
    const steps =
      fromStep === undefined || toStep === undefined ? undefined : { start: fromStep, end: toStep };
    return { series: pages.series(runIds, key, points, steps) };
  });
  app.get(`${ROWS}/diff`, async ({ query }) => {
    const { from, to } = parseRequest(diffQuery, query);
    return { differences: await pages.diff(from, to) };
  });
}

function addRunRoutes(app: FastifyInstance, { rows, pages, runs, clock }: RowRouteOptions): void {
  app.get(`${ROWS}/:run`, ({ params }: Named) => rows.get(params.run));
  app.get(`${ROWS}/:run/detail`, ({ params }: Named) => pages.detail(params.run));
  app.get(`${ROWS}/:run/artifacts`, async ({ params, query }: Named) => ({
    artifacts: await pages.list(params.run, parseRequest(listQuery, query).path),
  }));
  app.get(`${ROWS}/:run/artifact`, ({ params, query }: Named) => {
    const { path: wanted, mostBytes } = parseRequest(readQuery, query);
    return pages.read(params.run, wanted, mostBytes);
  });
  app.get(`${ROWS}/:run/log`, (request: Named, reply) => {
    const { run } = request.params;
    const gone = clientGone(reply);
    const pause = (ms: number): Promise<boolean> =>
      new Promise((resolve) => clock.after(ms, () => resolve(!gone.aborted)));
    return logPart(runs, { run, ...parseRequest(logQuery, request.query) }, pause);
  });
  app.delete(`${ROWS}/:run`, async ({ params }: Named) => {
    await pages.remove(params.run);
    return {};
  });
}
