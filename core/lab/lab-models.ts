import { SluiceError } from '../contract';
import { parseArtifactPath } from './artifacts/artifact-path';
import type { ArtifactStore } from './artifacts/artifact-store';
import { pathOfArtifactUri } from './artifacts/artifact-uri';
import type { ModelRegistry } from './registry/model-registry';
import type { ModelVersion, RegisteredModel } from './registry/registry-rows';
import type { RunService } from './runs/run-service';
import type { TrackingStore } from './tracking/tracking-store';

interface NamedVersion extends ModelVersion {
  /** Of the run it came from, while the lab knows it. */
  readonly runName?: string;
}

export interface ModelWithVersions extends Pick<
  RegisteredModel,
  'name' | 'description' | 'createdMs' | 'updatedMs'
> {
  /** The newest first. */
  readonly versions: readonly NamedVersion[];
}

export interface NewVersion {
  /** `user/dataset/N`, or a run id. */
  readonly run: string;
  /** Of an artifact of the run, or of a folder of them. */
  readonly path: string;
  readonly model: string;
  readonly description: string;
}

interface LabModelsOptions {
  readonly registry: ModelRegistry;
  readonly runs: RunService;
  readonly tracking: TrackingStore;
  readonly artifacts: ArtifactStore;
}

const MODELS_A_PAGE = 1000;

/** Registered models, and the runs their versions came from. */
export class LabModels {
  readonly registry: ModelRegistry;

  constructor(private readonly options: LabModelsOptions) {
    this.registry = options.registry;
  }

  /** By name, without prompts. */
  list(): readonly ModelWithVersions[] {
    const models: ModelWithVersions[] = [];
    for (let pageToken = ''; ;) {
      const search = { filter: '', orderBy: [], maxResults: MODELS_A_PAGE, pageToken };
      const { items, nextPageToken } = this.registry.models.search(search);
      models.push(...items.map((model) => this.withVersions(model)));
      if (nextPageToken === undefined) return models;
      pageToken = nextPageToken;
    }
  }

  /** @throws SluiceError `not-found`, `bad-input`. */
  get(name: string): ModelWithVersions {
    return this.withVersions(this.registry.models.get(name));
  }

  /**
   * A new version of a model, which is made when there is none of that name.
   * @throws SluiceError `not-found` (the run, the artifact), `bad-input`.
   */
  async register({ run, path, model, description }: NewVersion): Promise<ModelWithVersions> {
    const runId = this.options.runs.find(run)?.runId ?? run;
    const { artifactUri } = this.options.tracking.runs.get(runId).info;
    const names = parseArtifactPath(path);
    await this.refuseMissing(run, path, [...pathOfArtifactUri(artifactUri), ...names]);
    const { models, versions } = this.registry;
    const source = `runs:/${runId}/${names.map(encodeURIComponent).join('/')}`;
    if (!this.has(model)) models.create(model);
    versions.create({ model, source, runId, description });
    return this.get(model);
  }

  private async refuseMissing(run: string, path: string, place: readonly string[]): Promise<void> {
    const { artifacts } = this.options;
    if ((await artifacts.list(place)).length > 0) return;
    try {
      await (await artifacts.read(place)).close();
    } catch (cause) {
      if (!(cause instanceof SluiceError) || cause.code !== 'not-found') throw cause;
      const message = `${run} has no artifact "${path.slice(0, 200)}". Its page, or MLflow's, lists those it has.`;
      throw new SluiceError('not-found', message, { run, path: path.slice(0, 200) }, { cause });
    }
  }

  private has(model: string): boolean {
    try {
      this.registry.models.get(model);
      return true;
    } catch (thrown) {
      if (thrown instanceof SluiceError && thrown.code === 'not-found') return false;
      throw thrown;
    }
  }

  private withVersions({ name, description, createdMs, updatedMs }: RegisteredModel): ModelWithVersions {
    const versions = this.registry.versions.of(name).map((version) => {
      const { runId } = version;
      const runName = runId === '' ? undefined : runNameIn(this.options.tracking, runId);
      return { ...version, ...(runName !== undefined && { runName }) };
    });
    return { name, description, createdMs, updatedMs, versions };
  }
}

/** A run's name, also of one that was removed; nothing for one of another server, or no run's id. */
export function runNameIn({ runs }: TrackingStore, runId: string): string | undefined {
  try {
    return runs.get(runId).info.name;
  } catch (thrown) {
    if (thrown instanceof SluiceError && ['not-found', 'bad-input'].includes(thrown.code)) return undefined;
    throw thrown;
  }
}
