import type { LabDatabase } from '../store/lab-database';
import { pairReader, pairsAsJson, type PairReader } from './rows';
import type { KeyValue } from './tracking-types';

/** The tag in which MLflow's clients keep a run's name; name and tag are always the same. */
export const NAME_TAG = 'mlflow.runName';
/** Where MLflow 2 clients keep what they logged as models. */
const MODELS_TAG = 'mlflow.log-model.history';

/** Tags of runs, some of which say what the run itself says too. Runs are given by their numbers. */
export class RunTags {
  /** Each run's in the order of the keys. */
  readonly of: PairReader;

  constructor(private readonly database: LabDatabase) {
    this.of = pairReader(database, 'tracking_tags', 'run');
  }

  /** Inside the caller's transaction. The last of tags with the same key counts. */
  write(run: number, tags: readonly KeyValue[]): void {
    if (tags.length === 0) return;
    this.database
      .prepare(
        'INSERT INTO tracking_tags SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true ' +
          'ON CONFLICT DO UPDATE SET value = excluded.value',
      )
      .run([run, pairsAsJson(tags)]);
    const name = tags.findLast(({ key }) => key === NAME_TAG)?.value;
    if (name) {
      this.database.prepare('UPDATE tracking_runs SET name = ? WHERE number = ?').run([name, run]);
    }
  }

  /** Inside the caller's transaction. @returns whether there was one. */
  delete(run: number, key: string): boolean {
    const { changes } = this.database
      .prepare('DELETE FROM tracking_tags WHERE run = ? AND key = ?')
      .run([run, key]);
    return changes > 0;
  }

  /** Inside the caller's transaction. Adds to the list that MLflow 2 clients keep in a tag. @param model a JSON object. */
  addModelRecord(run: number, model: object): void {
    const before =
      this.of([run])
        .get(run)
        ?.find(({ key }) => key === MODELS_TAG)?.value ?? '[]';
    const value = JSON.stringify([...(JSON.parse(before) as object[]), model]);
    this.write(run, [{ key: MODELS_TAG, value }]);
  }
}
