import type { Random } from '../../base';
import type { ModelAnswer, OipTensor, ServedModel, ServedModels } from '../../serving';
import { versionsOf } from './published-file';
import type { PublishedFile, StoredModel, StoredVersion } from './published-file';

/** Models of the library, with those that were published here as versions of one name. */
export class PublishedModels implements ServedModels {
  /** @param random decides which version takes a request. */
  constructor(
    private readonly library: ServedModels,
    private readonly file: PublishedFile,
    private readonly random: Random,
  ) {}

  list(): readonly ServedModel[] {
    const { models, loose } = this.file.current;
    const stored = this.library.list();
    const byName = new Map(stored.map((model) => [model.name, model]));
    const published = models.flatMap((model) =>
      versionsOf(model).map((version) => servedVersion(model, version, byName.get(version.library))),
    );
    const hidden = new Set([
      ...models.map(({ servedAs }) => servedAs),
      ...published.map(({ runsAs }) => runsAs),
      ...loose.map(({ library }) => library),
    ]);
    return [...published, ...stored.filter(({ name }) => !hidden.has(name))];
  }

  /** The stable one answers what the canary can't. */
  route(name: string): readonly string[] {
    const model = this.file.current.models.find(({ servedAs }) => servedAs === name);
    if (!model) return [];
    const { stable, canary } = model;
    const isCanary = canary !== undefined && this.random() * 100 < canary.sharePct;
    return [...(isCanary ? [canary] : []), stable].map(({ version }) => String(version));
  }

  load(name: string): Promise<void> {
    return this.library.load(name);
  }

  unload(name: string): Promise<void> {
    return this.library.unload(name);
  }

  infer(name: string, inputs: readonly OipTensor[], signal: AbortSignal): Promise<ModelAnswer> {
    return this.library.infer(name, inputs, signal);
  }
}

function servedVersion(
  { servedAs }: StoredModel,
  { version, library }: StoredVersion,
  stored: ServedModel | undefined,
): ServedModel & { readonly runsAs: string } {
  const gone = {
    platform: '',
    inputs: [],
    outputs: [],
    isReady: false,
    reason: `${library} is not in the library; publish it again`,
  };
  return { ...(stored ?? gone), name: servedAs, version: String(version), runsAs: library };
}
