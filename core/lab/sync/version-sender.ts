import { z } from 'zod';

import { SluiceError } from '../../contract';
import { sha256Hex } from '../../storage';
import type { ModelRegistry } from '../registry/model-registry';
import type { ModelVersion } from '../registry/registry-rows';
import { parseInput } from '../store/parse-input';
import type { TrackingStore } from '../tracking/tracking-store';
import type { MlflowApi } from './mlflow-api';
import type { Positions } from './positions';
import type { Remote } from './remote-types';

/** Where a version says what it is a copy of. */
const VERSION_TAG = 'sluice.sync.version';
const VERSIONS_PER_PAGE = 1000;

const versionSchema = z.object({
  version: z.coerce.string(),
  tags: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
});
const createdSchema = z.object({ model_version: versionSchema });
const foundSchema = z.object({
  model_versions: z.array(versionSchema).default([]),
  next_page_token: z.string().nullish(),
});

/** What a version is made from, as the remote names it. */
interface SourceThere {
  readonly source: string;
  readonly runId: string | undefined;
  readonly modelId: string | undefined;
}

export interface VersionSenderOptions {
  readonly remote: Remote;
  readonly api: MlflowApi;
  readonly labId: string;
  readonly registry: ModelRegistry;
  readonly tracking: TrackingStore;
  readonly positions: Positions;
}

/** Brings versions of registered models to a remote, where they get the next numbers. */
export class VersionSender {
  constructor(private readonly options: VersionSenderOptions) {}

  /** All that may be forwarded, oldest first; copies of other labs' are left to those. */
  versions(): readonly ModelVersion[] {
    const { registry } = this.options;
    const versions: ModelVersion[] = [];
    for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
      const search = {
        filter: '',
        orderBy: ['name', 'version_number'],
        maxResults: VERSIONS_PER_PAGE,
        pageToken,
      };
      const page: ReturnType<typeof registry.versions.search> = registry.versions.search(search);
      versions.push(...page.items.filter(({ tags }) => !tags.some(({ key }) => key === VERSION_TAG)));
      pageToken = page.nextPageToken;
    }
    return versions;
  }

  /** @returns whether there was something to send. One whose run or logged model is not there waits for it. */
  async send(version: ModelVersion): Promise<boolean> {
    const { remote, positions } = this.options;
    const id = `${version.model}/${version.version}`;
    const source = this.sourceThere(version);
    if (!source) return false;
    const { description, stage, tags, aliases } = version;
    const facts = sha256Hex(Buffer.from(JSON.stringify([description, stage, tags, aliases])));
    const known = positions.modelOf(remote, id);
    if (known?.facts === facts) return false;
    const remoteModel = known?.remoteModel ?? (await this.made(version, source));
    positions.setModel(remote, id, { remoteModel, artifactUri: undefined, facts: undefined });
    await this.describe(version, remoteModel);
    positions.setModel(remote, id, { remoteModel, artifactUri: undefined, facts });
    return true;
  }

  private sourceThere({ source, runId, loggedModel }: ModelVersion): SourceThere | undefined {
    const { remote, positions, tracking } = this.options;
    const run = runId === '' ? undefined : positions.remoteRunOf(remote, runId);
    const model = loggedModel === '' ? undefined : positions.modelOf(remote, loggedModel);
    if ((runId !== '' && !run) || (loggedModel !== '' && !model)) return undefined;
    // What names no run belongs to no experiment: to those who get some only, it is not forwarded.
    if (!run && !model && remote.experiments) return undefined;
    const there = { runId: run?.runId, modelId: model?.remoteModel };
    const roots: readonly (readonly [string, string | undefined])[] = [
      [`runs:/${runId}`, run && `runs:/${run.runId}`],
      [`models:/${loggedModel}`, model && `models:/${model.remoteModel}`],
      [run ? tracking.runs.get(runId).info.artifactUri : '', run?.artifactUri],
      [model ? tracking.models.get(loggedModel).artifactUri : '', model?.artifactUri],
    ];
    for (const [from, to] of roots) {
      if (to === undefined || !(source === from || source.startsWith(`${from}/`))) continue;
      return { ...there, source: to + source.slice(from.length) };
    }
    return { ...there, source };
  }

  /** An answer may have been lost after it was made: it is looked for first. */
  private async made(version: ModelVersion, { source, runId, modelId }: SourceThere): Promise<string> {
    const { api, labId } = this.options;
    const { model: name, description, runLink, tags } = version;
    const mark = `${labId}/${version.version}`;
    await this.makeModel(name);
    const found = await this.find(name, mark);
    if (found !== undefined) return found;
    const answer = await api.post('model-versions/create', {
      ...{ name, source, description, tags: [...tags, { key: VERSION_TAG, value: mark }] },
      ...(runId !== undefined && { run_id: runId }),
      ...(modelId !== undefined && { model_id: modelId }),
      ...(runLink !== '' && { run_link: runLink }),
    });
    return parseInput(`An answer of ${api.url}`, createdSchema, answer).model_version.version;
  }

  private async makeModel(name: string): Promise<void> {
    const { api, registry } = this.options;
    const { description, tags } = registry.models.get(name);
    try {
      await api.post('registered-models/create', { name, description, tags });
    } catch (thrown) {
      if (SluiceError.from(thrown).code !== 'conflict') throw thrown;
    }
  }

  private async find(name: string, mark: string): Promise<string | undefined> {
    const { api } = this.options;
    const quote = name.includes("'") ? '"' : "'";
    for (let token: string | undefined = ''; token !== undefined;) {
      const query = { filter: `name=${quote}${name}${quote}`, ...(token !== '' && { page_token: token }) };
      const answer = await api.get('model-versions/search', query);
      const page: z.output<typeof foundSchema> = parseInput(`An answer of ${api.url}`, foundSchema, answer);
      const found = page.model_versions.find(({ tags }) =>
        tags.some(({ key, value }) => key === VERSION_TAG && value === mark),
      );
      if (found) return found.version;
      token = page.next_page_token || undefined;
    }
    return undefined;
  }

  private async describe(given: ModelVersion, version: string): Promise<void> {
    const { api } = this.options;
    const { model: name, description, stage, tags, aliases } = given;
    await api.patch('model-versions/update', { name, version, description });
    for (const tag of tags) await api.post('model-versions/set-tag', { name, version, ...tag });
    if (stage !== 'None') await api.post('model-versions/transition-stage', { name, version, stage });
    for (const alias of aliases) await api.post('registered-models/alias', { name, alias, version });
  }
}
