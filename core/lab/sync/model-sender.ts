import { z } from 'zod';

import { sha256Hex } from '../../storage';
import { doubleJson, int64Json } from '../server/mlflow-json';
import { parseInput } from '../store/parse-input';
import type { TrackingStore } from '../tracking/tracking-store';
import type { LoggedModel } from '../tracking/tracking-types';
import { portionsOf, type MlflowApi } from './mlflow-api';
import type { Positions, SentModel } from './positions';
import type { Remote } from './remote-types';

/** Where a logged model says what it is a copy of. */
const MODEL_TAG = 'sluice.sync.model';
const PARAMS_PER_CALL = 100;
const METRICS_PER_BATCH = 1000;

const modelSchema = z.object({
  info: z.object({
    model_id: z.string().min(1),
    artifact_uri: z.string(),
    tags: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
  }),
});
const oneSchema = z.object({ model: modelSchema });
const foundSchema = z.object({
  models: z.array(modelSchema).default([]),
  next_page_token: z.string().nullish(),
});
const runSchema = z.object({
  run: z.object({
    outputs: z
      .object({ model_outputs: z.array(z.object({ model_id: z.string() })).default([]) })
      .default({ model_outputs: [] }),
    inputs: z
      .object({ model_inputs: z.array(z.object({ model_id: z.string() })).default([]) })
      .default({ model_inputs: [] }),
  }),
});

export interface ModelSenderOptions {
  readonly remote: Remote;
  readonly api: MlflowApi;
  readonly tracking: TrackingStore;
  readonly positions: Positions;
}

/** Brings logged models (MLflow 3) to a remote, where they get ids of their own. */
export class ModelSender {
  constructor(private readonly options: ModelSenderOptions) {}

  /**
   * @param users remote ids of the runs that used it.
   * @returns whether there was something to send. One whose run is not there waits; another lab's copy is left to that one.
   */
  async send(modelId: string, users: readonly string[]): Promise<boolean> {
    const { remote, tracking, positions } = this.options;
    const model = tracking.models.get(modelId);
    const { sourceRunId, tags } = model;
    const run = sourceRunId === undefined ? undefined : positions.remoteRunOf(remote, sourceRunId);
    if ((sourceRunId !== undefined && !run) || tags.some(({ key }) => key === MODEL_TAG)) return false;
    const known = positions.modelOf(remote, modelId);
    const { name, modelType, status, params, metrics } = model;
    const described = [name, modelType, status, params, tags, metrics, ...(users.length > 0 ? [users] : [])];
    const json = JSON.stringify(described, (_key, value: unknown) =>
      typeof value === 'bigint' || typeof value === 'number' ? String(value) : value,
    );
    const facts = sha256Hex(Buffer.from(json));
    if (known?.facts === facts) return false;
    const there = known ?? (await this.made(model, run?.runId));
    positions.setModel(remote, modelId, { ...there, facts: undefined });
    await this.describe(model, there.remoteModel, run?.runId);
    for (const user of users) await this.addInput(there.remoteModel, user);
    positions.setModel(remote, modelId, { ...there, facts });
    return true;
  }

  /** An answer may have been lost after it was made: it is looked for first. */
  private async made(model: LoggedModel, sourceRun: string | undefined): Promise<SentModel> {
    const { api, tracking } = this.options;
    const experimentId = await api.experimentId(tracking.experiments.get(model.experimentId));
    const found = await this.find(model, experimentId);
    if (found) return found;
    const { name, modelType, params, tags, modelId } = model;
    const answer = await api.post('logged-models', {
      experiment_id: experimentId,
      name,
      model_type: modelType,
      source_run_id: sourceRun,
      params: params.slice(0, PARAMS_PER_CALL),
      tags: [...tags, { key: MODEL_TAG, value: modelId }],
    });
    return sentModel(parseInput(`An answer of ${api.url}`, oneSchema, answer).model);
  }

  private async find({ name, modelId }: LoggedModel, experimentId: string): Promise<SentModel | undefined> {
    const { api } = this.options;
    for (let token: string | undefined = ''; token !== undefined;) {
      const answer = await api.post('logged-models/search', {
        experiment_ids: [experimentId],
        filter: `name = '${name}'`,
        ...(token !== '' && { page_token: token }),
      });
      const page: z.output<typeof foundSchema> = parseInput(`An answer of ${api.url}`, foundSchema, answer);
      const found = page.models.find(({ info }) =>
        info.tags.some(({ key, value }) => key === MODEL_TAG && value === modelId),
      );
      if (found) return sentModel(found);
      token = page.next_page_token || undefined;
    }
    return undefined;
  }

  private async describe(model: LoggedModel, there: string, sourceRun: string | undefined): Promise<void> {
    const { api } = this.options;
    const { params, tags, status, modelId } = model;
    const path = `logged-models/${encodeURIComponent(there)}`;
    for (const some of portionsOf(params.slice(PARAMS_PER_CALL), PARAMS_PER_CALL)) {
      await api.post(`${path}/params`, { model_id: there, params: some });
    }
    if (tags.length > 0) await api.patch(`${path}/tags`, { model_id: there, tags });
    await this.sendMetrics(model, there);
    if (sourceRun !== undefined) await this.addOutput(modelId, there, model.sourceRunId ?? '', sourceRun);
    if (status !== 'LOGGED_MODEL_PENDING') await api.patch(path, { model_id: there, status });
  }

  /** Logged to the run again, where they are once, with the model they were measured on. */
  private async sendMetrics({ metrics }: LoggedModel, there: string): Promise<void> {
    const { remote, api, positions } = this.options;
    for (const runId of new Set(metrics.map((metric) => metric.runId))) {
      const run = positions.remoteRunOf(remote, runId);
      if (!run) continue;
      const own = metrics
        .filter((metric) => metric.runId === runId)
        .map(({ key, value, timestampMs, step, datasetName, datasetDigest }) => ({
          key,
          value: doubleJson(value),
          timestamp: int64Json(timestampMs),
          step: int64Json(step),
          model_id: there,
          dataset_name: datasetName,
          dataset_digest: datasetDigest,
        }));
      for (const some of portionsOf(own, METRICS_PER_BATCH)) {
        await api.post('runs/log-batch', { run_id: run.runId, metrics: some });
      }
    }
  }

  /** Left out where the run has it already: what came of the request before may not have been heard. */
  private async addInput(there: string, remoteRun: string): Promise<void> {
    const { inputs } = await this.runThere(remoteRun);
    if (inputs.model_inputs.some(({ model_id }) => model_id === there)) return;
    await this.options.api.post('runs/log-inputs', { run_id: remoteRun, models: [{ model_id: there }] });
  }

  /** MLflow refuses an output that is there already. */
  private async addOutput(modelId: string, there: string, runId: string, remoteRun: string): Promise<void> {
    const { api, tracking } = this.options;
    const output = tracking.runs.get(runId).modelOutputs.find((one) => one.modelId === modelId);
    if (!output) return;
    const { outputs } = await this.runThere(remoteRun);
    if (outputs.model_outputs.some(({ model_id }) => model_id === there)) return;
    await api.post('runs/outputs', { run_id: remoteRun, models: [{ model_id: there, step: output.step }] });
  }

  private async runThere(remoteRun: string): Promise<z.output<typeof runSchema>['run']> {
    const { api } = this.options;
    const answer = await api.get('runs/get', { run_id: remoteRun });
    return parseInput(`An answer of ${api.url}`, runSchema, answer).run;
  }
}

function sentModel({ info }: z.output<typeof modelSchema>): SentModel {
  return { remoteModel: info.model_id, artifactUri: info.artifact_uri, facts: undefined };
}
