import { join } from 'node:path';

import type { Clock, Random } from '../../base';
import { SluiceError } from '../../contract';
import type { SecretBox } from '../../storage';
import type { ArtifactStore } from '../artifacts/artifact-store';
import type { ModelRegistry } from '../registry/model-registry';
import type { LabDatabase } from '../store/lab-database';
import { hexId } from '../tracking/run-store';
import { SeriesLog } from '../tracking/series-log';
import type { TrackingStore } from '../tracking/tracking-store';
import { FileReceiver } from './file-receiver';
import { ChangedOwners } from './changed-owners';
import { lookAtRemote, targetOf } from './connect-remote';
import { Positions } from './positions';
import { RemoteHttp } from './remote-http';
import { RemoteLoop, type PassEnd } from './remote-loop';
import { pendingFiles, RemotePass, type ForwardedStores } from './remote-pass';
import { RemoteStore } from './remote-store';
import type { NewRemote, PassReport, Pending, Remote, RemoteStatus } from './remote-types';
import { SyncReceiver } from './sync-receiver';

export interface LabSyncOptions {
  readonly database: LabDatabase;
  readonly tracking: TrackingStore;
  readonly artifacts: ArtifactStore;
  readonly registry: ModelRegistry;
  /** Of what is kept of the remotes' tokens, and files that arrive in several goes. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Locks the remotes' tokens; without it they are held in memory only. */
  readonly secrets?: SecretBox | undefined;
}

const NOTHING_SENT: PassReport = {
  runs: 0,
  points: 0,
  files: 0,
  fileBytes: 0,
  modelVersions: 0,
  refused: [],
};

/** Forwards what the lab tracks to other labs and MLflow servers, and takes what other labs forward. */
export class LabSync {
  readonly receiver: SyncReceiver;
  readonly labId: string;
  private readonly stores: ForwardedStores;
  private readonly owners = new Map<string, ChangedOwners>();
  private readonly unwatch: () => void;
  private readonly loops = new Map<string, RemoteLoop>();
  private readonly reports = new Map<string, PassReport>();
  private isAutomatic = false;

  private constructor(
    private readonly options: LabSyncOptions,
    private readonly remotes: RemoteStore,
    readonly files: FileReceiver,
  ) {
    const { database, tracking, artifacts, registry, random } = options;
    this.labId = ownId(database, random);
    this.receiver = new SyncReceiver(database, tracking);
    this.stores = {
      ...{ tracking, artifacts, registry, labId: this.labId },
      positions: new Positions(database),
      series: new SeriesLog(database),
    };
    this.unwatch = artifacts.watch((path) => {
      for (const owners of this.owners.values()) owners.stored(path);
    });
  }

  /** @throws SluiceError `io`. */
  static async open(options: LabSyncOptions): Promise<LabSync> {
    const { database, artifacts, folder, clock, secrets } = options;
    const remotes = await RemoteStore.open(database, folder, { clock, box: secrets });
    return new LabSync(options, remotes, await FileReceiver.open(join(folder, 'incoming'), artifacts, clock));
  }

  /** Forwards by itself from now on. */
  start(): void {
    this.isAutomatic = true;
    for (const { name } of this.remotes.list()) this.loopOf(name).start();
  }

  async close(): Promise<void> {
    this.unwatch();
    await Promise.all([...this.loops.values()].map((loop) => loop.close()));
  }

  async list(): Promise<readonly RemoteStatus[]> {
    return Promise.all(this.remotes.list().map((remote) => this.statusOf(remote)));
  }

  /**
   * Adds a remote. One that can't be reached now is added all the same: it is what this is for.
   * @throws SluiceError `bad-input` (its URL, or neither a lab nor an MLflow server is there), `unauthorized`, `conflict`, `io`.
   */
  async add(asked: NewRemote): Promise<RemoteStatus> {
    const isNew = !this.remotes.list().some(({ name }) => name === asked.name);
    const remote = await this.remotes.put(asked);
    // It may get more experiments than before.
    this.owners.delete(remote.name);
    try {
      await this.reach(remote, new AbortController().signal);
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (isNew && ['bad-input', 'unauthorized', 'conflict'].includes(error.code)) {
        await this.remotes.remove(remote.name);
        throw error;
      }
      this.remotes.failed(remote, error.message);
    }
    if (this.isAutomatic) this.loopOf(remote.name).start();
    return this.statusOf(this.remotes.get(remote.name));
  }

  /** What the remote has stays there. @throws SluiceError `not-found`, `io`. */
  async remove(name: string): Promise<void> {
    this.remotes.get(name);
    await this.loops.get(name)?.close();
    this.loops.delete(name);
    this.owners.delete(name);
    await this.remotes.remove(name);
  }

  /**
   * Sends all that is here now.
   * @throws SluiceError `not-found`, and why it could not be sent.
   */
  async now(name: string): Promise<{ readonly sent: PassReport; readonly status: RemoteStatus }> {
    this.remotes.get(name);
    await this.loopOf(name).now();
    return {
      sent: this.reports.get(name) ?? NOTHING_SENT,
      status: await this.statusOf(this.remotes.get(name)),
    };
  }

  private loopOf(name: string): RemoteLoop {
    const known = this.loops.get(name);
    if (known) return known;
    const { clock, random } = this.options;
    const loop = new RemoteLoop({ clock, random, pass: (signal) => this.pass(name, signal) });
    this.loops.set(name, loop);
    return loop;
  }

  private async pass(name: string, signal: AbortSignal): Promise<PassEnd> {
    const remote = this.remotes.get(name);
    try {
      const report = await this.sendAll(remote, signal);
      this.reports.set(name, report);
      const [refused] = report.refused;
      if (refused) this.remotes.failed(remote, `${refused.what}: ${refused.reason}`);
      else this.remotes.succeeded(remote);
      return { isComplete: refused === undefined };
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code !== 'cancelled') this.remotes.failed(remote, error.message);
      throw error;
    }
  }

  private async sendAll(known: Remote, signal: AbortSignal): Promise<PassReport> {
    const { http, target, remote } = await this.reach(known, signal);
    const pass = new RemotePass({
      ...{ ...this.stores, remote, http, target },
      changedOwners: this.ownersOf(remote.name),
      isFromThere: (runId) => this.isFrom(runId, remote.labId),
    });
    return pass.run();
  }

  private async reach(remote: Remote, signal: AbortSignal) {
    const http = new RemoteHttp(remote.url, await this.remotes.tokenOf(remote.name), signal);
    const found = await lookAtRemote(http);
    const originOf = (runId: string): string => this.receiver.originOf(runId)?.origin ?? this.labId;
    const target = targetOf(http, found, remote, { labId: this.labId, originOf });
    if (remote.kind === undefined) this.remotes.reached(remote, found.kind, found.labId);
    return { http, target, remote: this.remotes.get(remote.name) };
  }

  private isFrom(runId: string, labId: string | undefined): boolean {
    const origin = this.receiver.originOf(runId);
    return labId !== undefined && (origin?.sender === labId || origin?.origin === labId);
  }

  private ownersOf(name: string): ChangedOwners {
    const owners = this.owners.get(name) ?? new ChangedOwners();
    this.owners.set(name, owners);
    return owners;
  }

  private async pendingOf(remote: Remote): Promise<Pending> {
    const { positions, tracking } = this.stores;
    tracking.settle();
    const files = await pendingFiles(this.stores, remote, this.ownersOf(remote.name));
    return {
      runs: positions.changedRuns(remote).length,
      points: positions.pendingPoints(remote),
      files: files.length,
      fileBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  private async statusOf(remote: Remote): Promise<RemoteStatus> {
    const { name, url, experiments, kind, succeededMs, failedMs, error } = remote;
    const loop = this.loops.get(name);
    return {
      ...{ name, url, experiments, kind },
      hasToken: await this.remotes.hasToken(name),
      state: loop?.isRunning ? 'syncing' : loop?.isBackingOff ? 'waiting' : 'idle',
      pending: await this.pendingOf(remote),
      lastSuccessMs: succeededMs,
      lastErrorMs: failedMs,
      lastError: error,
      nextTryMs: loop?.nextMs,
      refused: this.stores.positions.refusals(remote),
    };
  }
}

function ownId(database: LabDatabase, random: Random): string {
  const [row] = database.prepare('SELECT lab_id FROM sync_self').raw().all([]) as [string][];
  if (row) return row[0];
  const id = hexId(random);
  database.prepare('INSERT INTO sync_self VALUES (?)').run([id]);
  return id;
}
