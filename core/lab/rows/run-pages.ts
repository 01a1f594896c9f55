import { SluiceError } from '../../contract';
import type { LabArtifact, LabRunDetail, LabRunDifference } from '../../contract';
import { parseArtifactPath } from '../artifacts/artifact-path';
import type { ArtifactStore } from '../artifacts/artifact-store';
import { pathOfArtifactUri } from '../artifacts/artifact-uri';
import { checkpointsOf } from '../runs/checkpoints';
import type { RunService } from '../runs/run-service';
import type { LabRun } from '../runs/run-types';
import type { LabDatabase } from '../store/lab-database';
import type { StepRange } from '../tracking/metric-store';
import type { TrackingStore } from '../tracking/tracking-store';
import { given, type RunRowJson } from './run-row';
import type { RunRows } from './run-rows';

/** Not handed over at once: whoever shows an artifact does not show more. */
const MOST_ARTIFACT_BYTES = 64 * 2 ** 20;

export type RunDetailJson = Omit<LabRunDetail, 'metrics'> & Pick<RunRowJson, 'metrics'>;

/** Columns as base64 of little-endian doubles: JSON would lose NaN, and is larger. */
export interface SeriesJson {
  readonly runId: string;
  readonly step: string;
  readonly timestampMs: string;
  readonly value: string;
}

export interface RunPagesOptions {
  readonly database: LabDatabase;
  readonly tracking: TrackingStore;
  readonly artifacts: ArtifactStore;
  readonly runs: RunService;
  readonly rows: RunRows;
}

/** What is shown of single runs, launched or not. */
export class RunPages {
  private readonly forksOf;
  private readonly modelsOf;

  constructor(private readonly options: RunPagesOptions) {
    const { database } = options;
    this.forksOf = database
      .prepare(
        'SELECT run_id FROM runs_launched WHERE instr(plan, ?1) > 0 AND run_id <> ?2 ORDER BY created_ms DESC',
      )
      .raw();
    this.modelsOf = database
      .prepare(
        'SELECT m.name, v.version FROM registry_versions v JOIN registry_models m ON m.id = v.model ' +
          'WHERE v.run_id = ? ORDER BY m.name, v.version DESC',
      )
      .raw();
  }

  /** @throws SluiceError `not-found`, `io`. */
  async detail(reference: string): Promise<RunDetailJson> {
    const row = this.options.rows.get(reference);
    const { runId } = row;
    const launched = row.isLaunched ? this.options.runs.find(runId) : undefined;
    return {
      ...row,
      ...(launched && launchedFacts(launched)),
      forks: this.forks(runId),
      checkpoints: await this.checkpoints(runId),
      models: (this.modelsOf.all(runId) as [string, number][]).map(([model, version]) => ({
        model,
        version,
      })),
    };
  }

  /** Those that have points, in the order of the ids; runs that are gone have none. */
  series(
    runIds: readonly string[],
    key: string,
    most: number,
    steps: StepRange | undefined,
  ): readonly SeriesJson[] {
    return runIds.flatMap((runId) => {
      const points = orNone(() => this.options.tracking.sampledHistory(runId, key, most, steps));
      if (!points || points.length === 0) return [];
      const column = (values: readonly number[]): string =>
        Buffer.from(Float64Array.from(values).buffer).toString('base64');
      return [
        {
          runId,
          step: column(points.map(({ step }) => Number(step))),
          timestampMs: column(points.map(({ timestampMs }) => Number(timestampMs))),
          value: column(points.map(({ value }) => value)),
        },
      ];
    });
  }

  /** @param folder from the run's root; empty: the root. @throws SluiceError `not-found`, `bad-input`, `io`. */
  async list(reference: string, folder: string): Promise<readonly LabArtifact[]> {
    const names = parseArtifactPath(folder);
    const entries = await this.options.artifacts.list([...this.placeOf(reference), ...names]);
    return entries.map(({ path, isFolder, sizeBytes }) => ({
      path: [...names, path].join('/'),
      isFolder,
      bytes: sizeBytes,
    }));
  }

  /** The first bytes of an artifact. @throws SluiceError `not-found`, `bad-input`, `io`. */
  async read(
    reference: string,
    path: string,
    mostBytes: number,
  ): Promise<{ readonly mime: string; readonly base64: string; readonly totalBytes: number }> {
    const place = [...this.placeOf(reference), ...parseArtifactPath(path)];
    const artifact = await this.options.artifacts.read(place);
    const { contentType: mime, sizeBytes: totalBytes } = artifact;
    const bytes = Math.min(mostBytes, totalBytes, MOST_ARTIFACT_BYTES);
    if (bytes === 0) {
      await artifact.close();
      return { mime, base64: '', totalBytes };
    }
    const parts: Uint8Array[] = [];
    for await (const part of artifact.stream({ first: 0, last: bytes - 1 })) parts.push(part as Uint8Array);
    return { mime, base64: Buffer.concat(parts).toString('base64'), totalBytes };
  }

  /** What two runs do not have in common; of those that were not launched, what they logged. @throws `not-found`. */
  async diff(from: string, to: string): Promise<readonly LabRunDifference[]> {
    const [before, after] = [this.options.rows.get(from), this.options.rows.get(to)];
    const areLaunched = before.isLaunched && after.isLaunched;
    const facts = areLaunched ? await this.options.runs.diff(before.runId, after.runId) : [];
    const [old, now] = [new Map(Object.entries(before.params)), new Map(Object.entries(after.params))];
    const params = [...new Set([...old.keys(), ...now.keys()])]
      .sort()
      .map((key) => ({ what: `params.${key}`, from: old.get(key), to: now.get(key) }))
      .filter((one) => one.from !== one.to);
    return [...facts, ...params].map(given);
  }

  /**
   * Removes a run for good: its files, log, artifacts and what it logged; its id stays marked as deleted.
   * @throws SluiceError `not-found`, `conflict` (it goes on, or a registered model was made from it), `io`.
   */
  async remove(reference: string): Promise<void> {
    const { runs, tracking, artifacts, rows } = this.options;
    const { runId, name, isLaunched } = rows.get(reference);
    const [model] = this.modelsOf.all(runId) as [string, number][];
    if (model) {
      const [named, version] = model;
      throw new SluiceError(
        'conflict',
        `${name} can't be removed: version ${version} of the model "${named}" was made from it. Remove that first.`,
        { run: name, model: named, version },
      );
    }
    const place = orNone(() => this.placeOf(runId));
    if (isLaunched) await runs.remove(runId);
    else tracking.runs.delete(runId);
    tracking.purge(runId);
    if (!place || (await artifacts.list(place)).length === 0) return;
    await artifacts.remove(place);
  }

  private forks(runId: string): RunDetailJson['forks'] {
    // A plan that has the id elsewhere, among its arguments, is sorted out by what it says.
    const rows = this.forksOf.all(`"runId":"${runId}"`, runId) as [string][];
    return rows.flatMap(([id]) => {
      const fork = this.options.runs.find(id);
      return fork?.parent?.runId === runId ? [{ runId: id, name: fork.name, state: fork.state }] : [];
    });
  }

  private async checkpoints(runId: string): Promise<readonly string[]> {
    const place = orNone(() => this.placeOf(runId));
    if (!place) return [];
    return checkpointsOf(this.options.artifacts, place);
  }

  private placeOf(reference: string): readonly string[] {
    const { tracking, rows } = this.options;
    return pathOfArtifactUri(tracking.runs.get(rows.get(reference).runId).info.artifactUri);
  }
}

/** What is not there, or is kept elsewhere, is nothing to show. */
function orNone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    const { code } = SluiceError.from(thrown);
    if (code === 'not-found' || code === 'unsupported') return undefined;
    throw thrown;
  }
}

function launchedFacts(run: LabRun): Partial<RunDetailJson> {
  const { entry, args, environment, resources, code, image, dataset, parent } = run;
  return given({
    entry,
    args,
    environment,
    resources,
    code,
    image,
    datasetHash: dataset?.hash,
    parentId: parent?.runId,
    checkpoint: parent?.checkpoint,
  });
}
