import { z } from 'zod';

import { SluiceError } from '../../contract';
import { parseInput } from '../store/parse-input';
import type { DatasetInput, Experiment, KeyValue } from '../tracking/tracking-types';
import { datasetInputJson } from '../server/mlflow-json';
import type { Query, RemoteHttp } from './remote-http';

/** MLflow's limits of a call (mlflow/utils/validation.py). */
const PAIRS_PER_BATCH = 100;
const DATASETS_PER_CALL = 100;

const experimentSchema = z.object({
  experiment: z.object({ experiment_id: z.coerce.string(), lifecycle_stage: z.string().default('active') }),
});
const createdSchema = z.object({ experiment_id: z.coerce.string() });

/** MLflow's REST as far as labs and MLflow servers are spoken to alike. */
export class MlflowApi {
  constructor(readonly http: RemoteHttp) {}

  get url(): string {
    return this.http.url;
  }

  /** @param path below MLflow's. @throws SluiceError as `RemoteHttp.get`. */
  get(path: string, query: Query): Promise<unknown> {
    return this.http.get(`/api/2.0/mlflow/${path}`, query);
  }

  post(path: string, body: object): Promise<unknown> {
    return this.http.send('POST', `/api/2.0/mlflow/${path}`, body);
  }

  patch(path: string, body: object): Promise<unknown> {
    return this.http.send('PATCH', `/api/2.0/mlflow/${path}`, body);
  }

  /**
   * The experiment of that name there, made if it is not.
   * @throws SluiceError `conflict` when it was deleted there.
   */
  async experimentId({ name, tags }: Experiment): Promise<string> {
    const known = await this.findExperiment(name);
    if (known !== undefined) return known;
    try {
      const { experiment_id: id } = parseInput(
        `An answer of ${this.url}`,
        createdSchema,
        await this.post('experiments/create', { name, tags }),
      );
      return id;
    } catch (thrown) {
      // Somebody else was faster.
      const taken =
        SluiceError.from(thrown).code === 'conflict' ? await this.findExperiment(name) : undefined;
      if (taken !== undefined) return taken;
      throw thrown;
    }
  }

  /** The same again changes nothing. @throws SluiceError `bad-input` (a param that has another value there). */
  async logPairs(runId: string, params: readonly KeyValue[], tags: readonly KeyValue[]): Promise<void> {
    for (const some of portionsOf(params, PAIRS_PER_BATCH)) {
      await this.post('runs/log-batch', { run_id: runId, params: some });
    }
    for (const some of portionsOf(tags, PAIRS_PER_BATCH)) {
      await this.post('runs/log-batch', { run_id: runId, tags: some });
    }
  }

  /** Datasets that are there are not added again. */
  async logDatasets(runId: string, datasets: readonly DatasetInput[]): Promise<void> {
    for (const some of portionsOf(datasets, DATASETS_PER_CALL)) {
      await this.post('runs/log-inputs', { run_id: runId, datasets: some.map(datasetInputJson) });
    }
  }

  private async findExperiment(name: string): Promise<string | undefined> {
    const answer = await this.get('experiments/get-by-name', { experiment_name: name }).catch(
      (thrown: unknown) => {
        if (SluiceError.from(thrown).code === 'not-found') return undefined;
        throw thrown;
      },
    );
    if (answer === undefined) return undefined;
    const { experiment } = parseInput(`An answer of ${this.url}`, experimentSchema, answer);
    if (experiment.lifecycle_stage === 'active') return experiment.experiment_id;
    throw new SluiceError(
      'conflict',
      `The experiment ${JSON.stringify(name)} was deleted at ${this.url}. Restore it there, or leave it out with --experiments.`,
    );
  }
}

export function portionsOf<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  );
}
