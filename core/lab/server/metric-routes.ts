import type { FastifyReply } from 'fastify';

import { SluiceError } from '../../contract';
import { GroupCommit } from '../tracking/group-commit';
import type { TrackingStore } from '../tracking/tracking-store';
import type { LabRoutes } from './lab-server';
import {
  expected,
  fields,
  given,
  int64,
  integer,
  listOf,
  metricFields,
  metrics,
  pair,
  queryListOf,
  text,
} from './mlflow-fields';
import { metricJson } from './mlflow-json';
import { MLFLOW_API, requested } from './mlflow-request';
import { runFields, withRunId } from './run-routes';

/** As in MLflow (mlflow/server/handlers.py). */
const MOST_SAMPLED_RUNS = 100;
const MOST_SAMPLES = 2500;

const batch = fields({ ...runFields, metrics, params: listOf(pair), tags: listOf(pair) }).transform(
  withRunId,
);
const oneMetric = fields({ ...runFields, ...metricFields }).transform(withRunId);
const onePair = fields({ ...runFields, key: text, value: given(text) }).transform(withRunId);
const history = fields({
  ...runFields,
  metric_key: text,
  max_results: given(integer),
  page_token: given(text),
}).transform(withRunId);
const sampling = fields({
  run_ids: queryListOf(text),
  metric_key: text,
  start_step: given(int64),
  end_step: given(int64),
  max_results: given(integer),
});

/** What is logged to runs again and again, and read back. */
export function metricRoutes(store: TrackingStore): LabRoutes {
  const commits = new GroupCommit(store);
  const nothing = { metrics: [], params: [], tags: [] };
  return (app) => {
    app.post(`${MLFLOW_API}/runs/log-batch`, async (request) => {
      await commits.log(requested(batch, request));
      return {};
    });
    app.post(`${MLFLOW_API}/runs/log-metric`, async (request) => {
      const {
        runId,
        key,
        value,
        timestamp,
        step = 0,
        model_id,
        dataset_name,
        dataset_digest,
      } = requested(oneMetric, request);
      const metric = {
        key,
        value,
        timestampMs: timestamp,
        step,
        modelId: model_id || undefined,
        datasetName: dataset_name,
        datasetDigest: dataset_digest,
      };
      await commits.log({ ...nothing, runId, metrics: [metric] });
      return {};
    });
    app.post(`${MLFLOW_API}/runs/log-parameter`, async (request) => {
      const { runId, key, value = '' } = requested(onePair, request);
      await commits.log({ ...nothing, runId, params: [{ key, value }] });
      return {};
    });
    app.post(`${MLFLOW_API}/runs/set-tag`, async (request) => {
      const { runId, key, value = '' } = requested(onePair, request);
      await commits.log({ ...nothing, runId, tags: [{ key, value }] });
      return {};
    });
    app.get(`${MLFLOW_API}/metrics/get-history`, (request, reply) =>
      sendHistory(store, requested(history, request), reply),
    );
    app.get(`${MLFLOW_API}/metrics/get-history-bulk-interval`, (request) => ({
      metrics: sampledMetrics(store, requested(sampling, request)),
    }));
  };
}

type HistoryRequest = ReturnType<(typeof history)['parse']>;

/** Without `max_results` all points, be they a million: written by hand, each line the same. */
function sendHistory(store: TrackingStore, request: HistoryRequest, reply: FastifyReply): FastifyReply {
  const { runId, metric_key: key, max_results: most = Infinity, page_token } = request;
  if (most < 1) throw new SluiceError('bad-input', `max_results: expected 1 or more, found ${most}.`);
  const from = offsetOf(page_token);
  const all = store.history(runId, key);
  const to = Math.min(all.length, from + most);
  const next = to < all.length ? `,"next_page_token":${JSON.stringify(tokenOf(to))}` : '';
  const name = JSON.stringify(key);
  const lines: string[] = [];
  for (const { value, timestampMs, step } of all.slice(Math.min(from, to), to)) {
    const double = Number.isFinite(value) ? String(value) : `"${value}"`;
    lines.push(`{"key":${name},"value":${double},"timestamp":${timestampMs},"step":${step}}`);
  }
  return reply.type('application/json').send(`{"metrics":[${lines.join(',')}]${next}}`);
}

type SamplingRequest = ReturnType<(typeof sampling)['parse']>;

function sampledMetrics(store: TrackingStore, request: SamplingRequest): readonly object[] {
  const {
    run_ids,
    metric_key: key,
    start_step: start,
    end_step: end,
    max_results: most = MOST_SAMPLES,
  } = request;
  if (run_ids.length === 0 || run_ids.length > MOST_SAMPLED_RUNS) {
    throw new SluiceError(
      'bad-input',
      `run_ids: expected 1 to ${MOST_SAMPLED_RUNS} ids, found ${run_ids.length}.`,
    );
  }
  if (most < 1 || most > MOST_SAMPLES) {
    throw new SluiceError('bad-input', `max_results: expected 1 to ${MOST_SAMPLES}, found ${most}.`);
  }
  if ((start === undefined) !== (end === undefined)) {
    throw new SluiceError('bad-input', 'start_step and end_step: expected both or none, found one.');
  }
  const steps = start !== undefined && end !== undefined ? { start, end } : undefined;
  if (steps && steps.start > steps.end) {
    throw new SluiceError('bad-input', `end_step: expected ${steps.start} or more, found ${steps.end}.`);
  }
  return run_ids.flatMap((runId) =>
    store
      .sampledHistory(runId, key, most, steps)
      .map((point) => ({ ...metricJson({ key, ...point }), run_id: runId })),
  );
}

function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64url');
}

function offsetOf(token: string | undefined): number {
  if (!token) return 0;
  const offset = Buffer.from(token, 'base64url').toString();
  if (/^\d{1,15}$/.test(offset)) return Number(offset);
  throw new SluiceError('bad-input', `page_token: ${expected('one that this operation gave out', token)}.`);
}
