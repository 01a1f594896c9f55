import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { BearerToken } from '../../serving';
import type { JobView } from '../jobs/queue/job-ledger';
import type { JobQueue } from '../jobs/queue/job-queue';
import type { RunService } from '../runs/run-service';
import type { LabRoutes } from './lab-server';

export interface QueueRouteOptions {
  readonly queue: JobQueue;
  readonly runs: RunService;
  readonly guard: BearerToken;
  readonly userOf: (request: FastifyRequest) => string;
}

/** The engine whose jobs read datasets where this machine has laid them out. */
const LOCAL_ENGINE = 'local';
const RUN_JOB = /^([0-9a-f]{32})-\d+$/;
const SUBMISSION_JOB = /^submission-(\d+)(-score)?$/;

/** `GET /api/sluice/queue`: jobs that have not ended, nodes with the datasets they hold, and what the user has used today. */
export function queueRoutes({ queue, runs, guard, userOf }: QueueRouteOptions): LabRoutes {
  return (app: FastifyInstance) => {
    app.get('/api/sluice/queue', async (request) => {
      guard.check(request.headers.authorization);
      const user = userOf(request);
      const [nodes, laidOut] = await Promise.all([queue.nodes(), runs.laidOut({ name: user })]);
      return {
        jobs: queue
          .open()
          .map(({ spec, ...job }) => ({ ...job, ...titleOf(job.key, runs), resources: spec.resources })),
        nodes: nodes.map((node) => ({ ...node, datasets: node.engine === LOCAL_ENGINE ? laidOut : [] })),
        account: queue.account(user),
      };
    });
  };
}

/** What a job is called by people. */
function titleOf(key: JobView['key'], runs: RunService): { readonly title: string; readonly runId?: string } {
  const [, submission] = SUBMISSION_JOB.exec(key) ?? [];
  if (submission !== undefined) return { title: `submission ${submission}` };
  const [, runId] = RUN_JOB.exec(key) ?? [];
  const run = runId === undefined ? undefined : runs.find(runId);
  return run ? { title: run.name, runId: run.runId } : { title: key };
}
