import type { LabDatabase } from '../store/lab-database';
import { rowReader, wellFormed, type RowReader } from './rows';
import type { DatasetInput, KeyValue } from './tracking-types';

type InputRow = [number, string, string, string, string, string | null, string | null, string];

/** Datasets as MLflow's clients log them, and which run read which. */
export class DatasetStore {
  private readonly read: RowReader;

  constructor(private readonly database: LabDatabase) {
    this.read = rowReader(
      database,
      'json_array(run, name, digest, source_type, source, schema, profile, tags)',
      'tracking_inputs JOIN tracking_datasets ON id = dataset',
      'run',
    );
  }

  /** Inside the caller's transaction. A dataset is known by its name and digest; tags are those of the first call. */
  add(run: number, experiment: number, inputs: readonly DatasetInput[]): void {
    const put = this.database.prepare(
      'INSERT INTO tracking_datasets (experiment, name, digest, source_type, source, schema, profile) ' +
        'VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    const link = this.database.prepare(
      'INSERT INTO tracking_inputs SELECT ?, id, ? FROM tracking_datasets ' +
        'WHERE experiment = ? AND name = ? AND digest = ? ON CONFLICT DO NOTHING',
    );
    for (const { dataset, tags } of inputs) {
      const { name, digest, sourceType, source, schema, profile } = dataset;
      put.run([experiment, name, digest, sourceType, source, schema ?? null, profile ?? null]);
      const tagsByKey = Object.fromEntries(
        tags.map(({ key, value }) => [wellFormed(key), wellFormed(value)]),
      );
      link.run([run, JSON.stringify(tagsByKey), experiment, name, digest]);
    }
  }

  of(runs: readonly number[]): ReadonlyMap<number, readonly DatasetInput[]> {
    const inputs = new Map<number, DatasetInput[]>();
    for (const [run, name, digest, sourceType, source, schema, profile, tags] of this.read(
      runs,
    ) as InputRow[]) {
      const dataset = {
        name,
        digest,
        sourceType,
        source,
        schema: schema ?? undefined,
        profile: profile ?? undefined,
      };
      inputs.set(run, [...(inputs.get(run) ?? []), { dataset, tags: tagsOf(tags) }]);
    }
    return inputs;
  }
}

function tagsOf(json: string): readonly KeyValue[] {
  return Object.entries(JSON.parse(json) as Record<string, string>).map(([key, value]) => ({ key, value }));
}
