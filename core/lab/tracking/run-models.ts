import type { LabDatabase } from '../store/lab-database';
import { rowReader, type RowReader } from './rows';
import type { ModelOutput } from './tracking-types';

interface ModelsOfRun {
  readonly inputs: string[];
  readonly outputs: ModelOutput[];
}

/** Which logged models runs used and made. */
export class RunModels {
  private readonly read: RowReader;

  constructor(private readonly database: LabDatabase) {
    this.read = rowReader(
      database,
      'json_array(run, model_id, is_output, step)',
      'tracking_run_models',
      'run',
    );
  }

  /** Inside the caller's transaction. */
  addInputs(run: number, modelIds: readonly string[]): void {
    for (const modelId of modelIds) this.add(run, modelId, 0, 0);
  }

  /** Inside the caller's transaction. */
  addOutputs(run: number, outputs: readonly ModelOutput[]): void {
    for (const { modelId, step } of outputs) this.add(run, modelId, 1, step);
  }

  of(runs: readonly number[]): ReadonlyMap<number, ModelsOfRun> {
    const models = new Map<number, ModelsOfRun>();
    for (const [run, modelId, isOutput, step] of this.read(runs) as [number, string, number, number][]) {
      const own = models.get(run) ?? { inputs: [], outputs: [] };
      models.set(run, own);
      if (isOutput) own.outputs.push({ modelId, step });
      else own.inputs.push(modelId);
    }
    return models;
  }

  private add(run: number, modelId: string, isOutput: 0 | 1, step: number): void {
    this.database
      .prepare(
        'INSERT INTO tracking_run_models (run, model_id, is_output, step) VALUES (?, ?, ?, ?) ' +
          'ON CONFLICT DO UPDATE SET step = excluded.step',
      )
      .run([run, modelId, isOutput, step]);
  }
}
