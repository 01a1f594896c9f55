import type { ArtifactStore } from '../artifacts/artifact-store';
import type { ModelRegistry } from '../registry/model-registry';
import type { SeriesLog } from '../tracking/series-log';
import type { TrackingStore } from '../tracking/tracking-store';
import { ArtifactSender, type ArtifactOwner, type PendingFile } from './artifact-sender';
import type { ChangedOwners } from './changed-owners';
import { MlflowApi } from './mlflow-api';
import { ModelSender } from './model-sender';
import type { Positions } from './positions';
import type { RemoteHttp } from './remote-http';
import type { PassReport, Refusal, Remote } from './remote-types';
import { RunSender } from './run-sender';
import { sendChangedRuns, sendEach } from './sync-pass';
import type { SyncTarget } from './sync-target';
import { VersionSender } from './version-sender';

/** What is forwarded, and how far the remotes are. */
export interface ForwardedStores {
  readonly labId: string;
  readonly tracking: TrackingStore;
  readonly artifacts: ArtifactStore;
  readonly registry: ModelRegistry;
  readonly series: SeriesLog;
  readonly positions: Positions;
}

export interface RemotePassOptions extends ForwardedStores {
  readonly remote: Remote;
  readonly http: RemoteHttp;
  readonly target: SyncTarget;
  readonly changedOwners: ChangedOwners;
  readonly isFromThere: (runId: string) => boolean;
}

/** One turn of sending a remote what it does not have. */
export class RemotePass {
  private readonly refused: Refusal[] = [];
  private readonly sent = { runs: 0, points: 0, files: 0, fileBytes: 0, modelVersions: 0 };
  private readonly runSender: RunSender;
  private readonly modelSender: ModelSender;
  private readonly versionSender: VersionSender;
  private readonly artifactSender: ArtifactSender;

  constructor(private readonly options: RemotePassOptions) {
    const { http, artifacts, positions, remote } = options;
    const parts = { ...options, api: new MlflowApi(http) };
    this.runSender = new RunSender({ ...parts, onPoints: (points) => (this.sent.points += points) });
    this.modelSender = new ModelSender(parts);
    this.versionSender = new VersionSender(parts);
    this.artifactSender = new ArtifactSender(artifacts, positions, remote);
  }

  /** @throws SluiceError why going on is no use; what was acknowledged until then is not sent again. */
  async run(): Promise<PassReport> {
    const { positions, remote, changedOwners } = this.options;
    await this.sendRuns();
    const users = positions.usersOfModels(remote);
    await sendEach(
      positions.loggedModels(remote),
      async (modelId) => {
        if (await this.modelSender.send(modelId, users.get(modelId) ?? [])) changedOwners.add(modelId);
      },
      (modelId, { message }) => this.refused.push({ what: modelId, reason: message }),
    );
    await this.sendFiles();
    await sendEach(
      this.versionSender.versions(),
      async (version) => {
        if (await this.versionSender.send(version)) this.sent.modelVersions += 1;
      },
      ({ model, version }, { message }) =>
        this.refused.push({ what: `${model}/${version}`, reason: message }),
    );
    return { ...this.sent, refused: this.refused };
  }

  private async sendRuns(): Promise<void> {
    const { tracking, changedOwners } = this.options;
    const refused = await sendChangedRuns(
      this.options,
      new Set(this.refused.map(({ what }) => what)),
      () => tracking.settle(),
      async (run) => {
        await this.runSender.send(run);
        // It may be there only now, or be back.
        changedOwners.add(run.runId);
        this.sent.runs += 1;
      },
    );
    this.refused.push(...refused);
  }

  private async sendFiles(): Promise<void> {
    const { changedOwners, target } = this.options;
    if (changedOwners.isEmpty) return;
    const changed = changedOwners.take();
    const unsent = new Set<string>();
    try {
      const owners = ownersThere(this.options, (id) => changed.has(id));
      owners.forEach(({ id }) => unsent.add(id));
      await sendEach(
        owners,
        async (owner) => {
          for (const file of await this.artifactSender.pending(owner)) {
            this.sent.fileBytes += await this.artifactSender.send(target, file);
            this.sent.files += 1;
            // A large file holds up no points for longer than it takes itself.
            await this.sendRuns();
          }
          unsent.delete(owner.id);
        },
        ({ id }, { message }) => this.refused.push({ what: id, reason: message }),
      );
    } finally {
      changed.putBack(unsent);
    }
  }
}

/** What of a remote's files is not there, as far as is known without asking it. */
export async function pendingFiles(
  stores: ForwardedStores,
  remote: Remote,
  changedOwners: ChangedOwners,
): Promise<readonly PendingFile[]> {
  const sender = new ArtifactSender(stores.artifacts, stores.positions, remote);
  const pending: PendingFile[] = [];
  for (const owner of ownersThere({ ...stores, remote }, (id) => changedOwners.has(id))) {
    pending.push(...(await sender.pending(owner)));
  }
  return pending;
}

/** Runs and logged models that the remote has, and whose files may have changed. */
function ownersThere(
  { remote, positions, tracking }: Pick<RemotePassOptions, 'remote' | 'positions' | 'tracking'>,
  hasChanged: (id: string) => boolean,
): readonly ArtifactOwner[] {
  const runs = positions.runsThere(remote).filter(({ runId }) => hasChanged(runId));
  const models = positions.loggedModels(remote).filter(hasChanged);
  return [
    ...runs.map(({ runId, artifactUri, remoteUri }) => ({ id: runId, artifactUri, remoteUri })),
    ...models.flatMap((id) => {
      const remoteUri = positions.modelOf(remote, id)?.artifactUri;
      return remoteUri === undefined
        ? []
        : [{ id, artifactUri: tracking.models.get(id).artifactUri, remoteUri }];
    }),
  ];
}
