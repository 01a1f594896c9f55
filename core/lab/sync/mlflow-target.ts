import { z } from 'zod';

import { SluiceError } from '../../contract';
import type { ArtifactPath } from '../artifacts/artifact-path';
import { parseInput } from '../store/parse-input';
import { PointView, type MetricPoint } from '../tracking/points';
import type { Run } from '../tracking/tracking-types';
import { int64Json, doubleJson } from '../server/mlflow-json';
import type { MlflowApi } from './mlflow-api';
import { sendToProxy } from './send-content';
import type { FileToSend, SeriesPart, SyncTarget, TakenRun } from './sync-target';

/** MLflow's limit of a call (mlflow/utils/validation.py). */
const POINTS_PER_BATCH = 1000;
/** Where a run says what it is a copy of. */
const RUN_TAG = 'sluice.sync.run';

const runSchema = z.object({ info: z.object({ run_id: z.string().min(1), artifact_uri: z.string() }) });
const createdSchema = z.object({ run: runSchema });
const foundSchema = z.object({ runs: z.array(runSchema).default([]) });
const historySchema = z.object({
  metrics: z
    .array(
      z.object({
        value: z.union([z.number(), z.string()]),
        timestamp: z.union([z.number(), z.string()]),
        step: z.union([z.number(), z.string()]).default(0),
      }),
    )
    .default([]),
  next_page_token: z.string().nullish(),
});

/**
 * An MLflow server. Its SQL stores have a point (key, step, time, value) once, however often it is sent; others append, so
 * that what may be there already is looked up before it is sent again.
 */
export class MlflowTarget implements SyncTarget {
  /** They forget for good what was deleted long ago. */
  readonly makesLostRuns = false;
  readonly pointsPerBatch = POINTS_PER_BATCH;
  /** Series of which the remote is known to have exactly what it acknowledged. */
  private readonly certain = new Set<string>();

  constructor(
    private readonly api: MlflowApi,
    private readonly keepsPointsOnce: boolean,
  ) {}

  /** An answer may have been lost after the run was made: it is looked for first. */
  async takeRun(run: Run, experimentId: string): Promise<TakenRun> {
    const { runId, userId, startMs, name } = run.info;
    const found = parseInput(
      `An answer of ${this.api.url}`,
      foundSchema,
      await this.api.post('runs/search', {
        experiment_ids: [experimentId],
        filter: `tags.\`${RUN_TAG}\` = '${runId}'`,
        run_view_type: 'ALL',
        max_results: 10,
      }),
    );
    const [known] = found.runs.map(takenRun).sort((a, b) => (a.runId < b.runId ? -1 : 1));
    if (known) return known;
    const { run: created } = parseInput(
      `An answer of ${this.api.url}`,
      createdSchema,
      await this.api.post('runs/create', {
        experiment_id: experimentId,
        user_id: userId,
        run_name: name,
        ...(startMs !== undefined && { start_time: startMs }),
        tags: [{ key: RUN_TAG, value: runId }],
      }),
    );
    return takenRun(created);
  }

  sendFile(path: ArtifactPath, file: FileToSend): Promise<void> {
    return sendToProxy(this.api.http, path, file);
  }

  async sendPoints(
    _run: Run,
    remoteRun: string,
    parts: readonly SeriesPart[],
  ): Promise<ReadonlyMap<string, number>> {
    const metrics: object[] = [];
    for (const { key, points } of parts) {
      const known = await this.knownPoints(remoteRun, key);
      for (const point of new PointView(points)) {
        if (known.has(identityOf(point))) continue;
        const { step, timestampMs, value } = point;
        metrics.push({
          key,
          value: doubleJson(value),
          timestamp: int64Json(timestampMs),
          step: int64Json(step),
        });
      }
    }
    for (const { key } of parts) this.certain.delete(seriesOf(remoteRun, key));
    if (metrics.length > 0) await this.api.post('runs/log-batch', { run_id: remoteRun, metrics });
    for (const { key } of parts) this.certain.add(seriesOf(remoteRun, key));
    return new Map(parts.map(({ key, from, points }) => [key, from + new PointView(points).length]));
  }

  private async knownPoints(remoteRun: string, key: string): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    if (this.keepsPointsOnce || this.certain.has(seriesOf(remoteRun, key))) return known;
    for (let token: string | undefined = ''; token !== undefined;) {
      const query = { run_id: remoteRun, metric_key: key, ...(token !== '' && { page_token: token }) };
      const page: z.output<typeof historySchema> = parseInput(
        `An answer of ${this.api.url}`,
        historySchema,
        await this.history(query),
      );
      for (const { value, timestamp, step } of page.metrics)
        known.add(`${step}/${timestamp}/${Number(value)}`);
      token = page.next_page_token || undefined;
    }
    return known;
  }

  /** Some stores answer that there is no such metric. */
  private async history(query: Readonly<Record<string, string>>): Promise<unknown> {
    try {
      return await this.api.get('metrics/get-history', query);
    } catch (thrown) {
      if (thrown instanceof SluiceError && thrown.code === 'not-found') return {};
      throw thrown;
    }
  }
}

function seriesOf(remoteRun: string, key: string): string {
  return `${remoteRun}/${key}`;
}

function identityOf({ step, timestampMs, value }: MetricPoint): string {
  return `${step}/${timestampMs}/${value}`;
}

function takenRun({ info }: z.output<typeof runSchema>): TakenRun {
  return { runId: info.run_id, artifactUri: info.artifact_uri };
}
