import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { boardSchema, submissionSchema, type ShownSubmission } from '../../commands/lab/competition-text';
import { runSchema, type ShownRun } from '../shown-run';
import { searchSchema, type ShownSearch } from '../../commands/lab/search-text';
import { LabApi } from '../connection/lab-api';
import { EXAMPLE_DATASET, EXAMPLE_RESOURCES, exampleRun } from './start-example';

/** How often what no stream tells of is looked at. */
const POLL_MS = 250;
const historySchema = z.object({ submissions: z.array(submissionSchema) });
const runAnswerSchema = z.object({
  run: z.object({
    info: z.object({ artifact_uri: z.string() }),
    data: z.object({ metrics: z.array(z.object({ key: z.string(), value: z.number() })).default([]) }),
  }),
});
const versionSchema = z.object({ model_version: z.object({ version: z.coerce.number() }) });

export type Board = z.infer<typeof boardSchema>;

/** Somebody who works with the lab in the case, by HTTP as everybody does. */
export class CaseUser {
  private readonly api: LabApi;

  constructor(
    { url, token }: LabApi,
    readonly name: string,
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {
    this.api = new LabApi(url, token, name);
  }

  /** @returns it when it has ended. @throws SluiceError `runtime` when it failed. */
  async run(entry: string, args: readonly string[]): Promise<ShownRun> {
    const body = exampleRun(this.folder, entry, args);
    return this.ended(await this.api.send('POST', 'runs', body, runSchema, this.signal));
  }

  /** From a checkpoint of anybody's run, by default its newest. @throws as `run`. */
  async fork(parent: ShownRun, args: readonly string[], checkpoint?: string): Promise<ShownRun> {
    const body = { args, ...(checkpoint !== undefined && { checkpoint }) };
    return this.ended(await this.api.send('POST', `runs/${parent.runId}/fork`, body, runSchema, this.signal));
  }

  /** @param search as `POST searches` takes it. @throws SluiceError `runtime` when it failed. */
  async search(entry: string, search: object): Promise<ShownSearch> {
    const trials = {
      folder: this.folder,
      entry,
      args: [],
      dataset: EXAMPLE_DATASET,
      environment: {},
      resources: EXAMPLE_RESOURCES,
      engine: 'local',
      priority: 0,
    };
    let now = await this.api.send('POST', 'searches', { search, trials }, searchSchema, this.signal);
    while (now.state === 'running') {
      await delay(POLL_MS, undefined, { signal: this.signal });
      now = await this.api.get(`searches/${now.id}`, searchSchema, this.signal);
    }
    if (now.state === 'done') return now;
    throw new SluiceError('runtime', `${now.id} ${now.state}: expected it to be done.`);
  }

  /** @returns it when it was scored. @throws SluiceError `runtime` with why it was not. */
  async submit(run: ShownRun, competition: string, isDryRun = false): Promise<ShownSubmission> {
    const path = `competitions/${competition}/submissions`;
    const body = { runId: run.runId, isDryRun };
    const { id } = await this.api.send('POST', path, body, submissionSchema, this.signal);
    for (;;) {
      const { submissions } = await this.api.get(path, historySchema, this.signal);
      const found = submissions.find((one) => one.id === id);
      if (found?.state === 'scored') return found;
      if (found?.state === 'failed') {
        throw new SluiceError(
          'runtime',
          `${run.name} on ${competition}: ${found.error ?? 'nobody said why'}`,
        );
      }
      await delay(POLL_MS, undefined, { signal: this.signal });
    }
  }

  board(competition: string): Promise<Board> {
    return this.api.get(`competitions/${competition}/board`, boardSchema, this.signal);
  }

  /** The last value that a run logged. */
  async metric({ runId }: ShownRun, key: string): Promise<number> {
    const { run } = runAnswerSchema.parse(await this.mlflow(`runs/get?run_id=${runId}`));
    return run.data.metrics.find((metric) => metric.key === key)?.value ?? NaN;
  }

  async artifact({ runId }: ShownRun, path: string): Promise<Buffer> {
    const query = new URLSearchParams({ run_id: runId, path }).toString();
    const answer = await this.fetch(`get-artifact?${query}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** @param path of an artifact. @returns the version. */
  async register({ runId }: ShownRun, path: string, name: string): Promise<number> {
    const { run } = runAnswerSchema.parse(await this.mlflow(`runs/get?run_id=${runId}`));
    // There is one of that name when the case is not run for the first time.
    await this.mlflow('registered-models/create', { name }).catch(() => undefined);
    const body = { name, source: `${run.info.artifact_uri}/${path}`, run_id: runId };
    return versionSchema.parse(await this.mlflow('model-versions/create', body)).model_version.version;
  }

  private async ended(run: ShownRun): Promise<ShownRun> {
    // The log ends with the run.
    for await (const _ of this.api.stream(`runs/${run.runId}/log?follow=true`, this.signal));
    const last = await this.api.get(`runs/${run.runId}`, runSchema, this.signal);
    if (last.state === 'succeeded') return last;
    throw new SluiceError('runtime', `${last.name} ${last.state}: ${last.reason ?? 'nobody said why'}.`);
  }

  private async mlflow(operation: string, body?: object): Promise<unknown> {
    const answer = await this.fetch(`api/2.0/mlflow/${operation}`, body);
    return answer.json();
  }

  private async fetch(path: string, body?: object): Promise<Response> {
    const answer = await fetch(`${this.api.url}/${path}`, {
      headers: this.api.headers,
      signal: this.signal,
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (answer.ok) return answer;
    throw new SluiceError('runtime', `${path}: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
  }
}
