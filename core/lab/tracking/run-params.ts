import type { LabDatabase } from '../store/lab-database';
import { badInput } from './entity-limits';
import { pairReader, pairsAsJson, type PairReader } from './rows';
import type { KeyValue } from './tracking-types';

/** Params of runs: written once, never changed. Runs are given by their numbers. */
export class RunParams {
  /** Each run's in the order of the keys. */
  readonly of: PairReader;

  constructor(private readonly database: LabDatabase) {
    this.of = pairReader(database, 'tracking_params', 'run');
  }

  /**
   * Inside the caller's transaction.
   * @throws SluiceError `bad-input` for a param that has another value; nothing is written then.
   */
  write(run: number, runId: string, params: readonly KeyValue[]): void {
    if (params.length === 0) return;
    const json = pairsAsJson(params);
    const changed = this.database
      .prepare(
        'SELECT p.key, p.value, j.value ->> 1 FROM json_each(?) j ' +
          'JOIN tracking_params p ON p.run = ? AND p.key = j.value ->> 0 WHERE p.value <> j.value ->> 1',
      )
      .raw()
      .all([json, run]) as [string, string, string][];
    if (changed.length > 0) {
      const what = changed.map(
        ([key, before, after]) => `"${key}" is ${JSON.stringify(before)}, found ${JSON.stringify(after)}`,
      );
      throw badInput(
        `Params of a run can't be changed, and run ${runId} has: ${what.join('; ')}. Log to a new run.`,
      );
    }
    this.database
      .prepare(
        'INSERT INTO tracking_params SELECT ?, value ->> 0, value ->> 1 FROM json_each(?) WHERE true ' +
          'ON CONFLICT DO NOTHING',
      )
      .run([run, json]);
  }
}
