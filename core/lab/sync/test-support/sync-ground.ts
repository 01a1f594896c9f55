import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { seededRandom, systemClock } from '../../../base';
import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../../serving';
import { ArtifactStore } from '../../artifacts/artifact-store';
import { pathOfArtifactUri } from '../../artifacts/artifact-uri';
import { ModelRegistry } from '../../registry/model-registry';
import { REGISTRY_SCHEMA } from '../../registry/registry-schema';
import { artifactRoutes } from '../../server/artifact-routes';
import { startLabServer } from '../../server/lab-server';
import { registryRoutes } from '../../server/registry-routes';
import { syncRoutes } from '../../server/sync-routes';
import { trackingRoutes } from '../../server/tracking-routes';
import { LabDatabase } from '../../store/lab-database';
import { PointView } from '../../tracking/points';
import { SeriesLog } from '../../tracking/series-log';
import { TRACKING_SCHEMA } from '../../tracking/tracking-schema';
import { TrackingStore } from '../../tracking/tracking-store';
import type { LoggedMetric, Run } from '../../tracking/tracking-types';
import { LabSync } from '../lab-sync';
import { portionsOf } from '../mlflow-api';
import { SYNC_SCHEMA } from '../sync-schema';

export interface GroundOptions {
  /** Of its ids: two labs have different ones. */
  readonly seed: number;
  /** It answers as an MLflow server does, without the operations of labs. */
  readonly isMlflow?: boolean;
  readonly token?: string;
  /** One that stays when it is closed; default: a temporary one. */
  readonly folder?: string;
}

/** The parts of a lab that forwarding is about, served. */
export class SyncGround {
  private constructor(
    readonly folder: string,
    private readonly isTemporary: boolean,
    readonly database: LabDatabase,
    readonly tracking: TrackingStore,
    readonly artifacts: ArtifactStore,
    readonly registry: ModelRegistry,
    readonly sync: LabSync,
    private readonly listener: Listener,
  ) {}

  get port(): number {
    return this.listener.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async open(options: GroundOptions): Promise<SyncGround> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'sluice-sync-'));
    const random = seededRandom(options.seed);
    const clock = systemClock;
    const database = LabDatabase.open(join(folder, 'lab.db'), [
      TRACKING_SCHEMA,
      REGISTRY_SCHEMA,
      SYNC_SCHEMA,
    ]);
    const tracking = new TrackingStore(database, { clock, random, artifactRoot: 'mlflow-artifacts:/' });
    const artifacts = await ArtifactStore.open(folder);
    const artifactUriOf = (runId: string): string => tracking.runs.get(runId).info.artifactUri;
    const registry = new ModelRegistry({
      database,
      clock,
      lookup: { artifactUriOf, loggedModelUri: (id) => tracking.models.get(id).artifactUri },
      onListenerFault: (cause) => {
        throw cause;
      },
    });
    const parts = { database, tracking, artifacts, registry, clock, random };
    const sync = await LabSync.open({ ...parts, folder: join(folder, 'sync') });
    const guard = new BearerToken('a-token-for-launching');
    const listener = await startLabServer({
      routes: [
        trackingRoutes(tracking),
        registryRoutes(registry),
        artifactRoutes({ store: artifacts, artifactUriOf, stallMs: 10_000 }),
        ...(options.isMlflow ? [] : [syncRoutes({ sync, guard, stallMs: 10_000 })]),
      ],
      token: options.token === undefined ? undefined : new BearerToken(options.token),
      host: '127.0.0.1',
      port: 0,
      limits: DEFAULT_LIMITS,
    });
    const isTemporary = options.folder === undefined;
    return new SyncGround(folder, isTemporary, database, tracking, artifacts, registry, sync, listener);
  }

  async close(): Promise<void> {
    await this.sync.close();
    await this.listener.close();
    this.database.close();
    if (this.isTemporary) rmSync(this.folder, { recursive: true, force: true });
  }

  /** @returns the id of a new run. */
  run(name: string, experiment = 'trials'): string {
    return this.tracking.runs.create({ experimentId: this.experimentId(experiment), name, startMs: 1000 })
      .info.runId;
  }

  log(runId: string, points: readonly LoggedMetric[], params: Readonly<Record<string, string>> = {}): void {
    const pairs = Object.entries(params).map(([key, value]) => ({ key, value }));
    this.tracking.logBatch({ runId, metrics: [], params: pairs, tags: [] });
    for (const metrics of portionsOf(points, 1000))
      this.tracking.logBatch({ runId, metrics, params: [], tags: [] });
  }

  tag(runId: string, key: string, value: string): void {
    this.tracking.logBatch({ runId, metrics: [], params: [], tags: [{ key, value }] });
  }

  /** What a program would upload. */
  write(runId: string, path: string, content: string): Promise<void> {
    return this.writeTo(this.tracking.runs.get(runId).info.artifactUri, path, content);
  }

  async writeTo(artifactUri: string, path: string, content: string): Promise<void> {
    const place = [...pathOfArtifactUri(artifactUri), ...path.split('/')];
    await this.artifacts.write(place, Readable.from([Buffer.from(content)]));
  }

  async read(artifactUri: string, path: string): Promise<string> {
    const file = await this.artifacts.read([...pathOfArtifactUri(artifactUri), ...path.split('/')]);
    return text(file.stream());
  }

  /** All runs, deleted ones too. */
  runs(): readonly Run[] {
    this.tracking.settle();
    const numbers = this.database.prepare('SELECT number FROM tracking_runs ORDER BY number').raw().all([]);
    return this.tracking.runs.byNumbers((numbers as [number][]).map(([number]) => number));
  }

  /** All points of a run as texts, each as often as it was taken. */
  storedPoints(runId: string): readonly string[] {
    this.tracking.settle();
    const series = new SeriesLog(this.database);
    return series
      .lengthsOf(this.tracking.runs.numberOf(runId))
      .flatMap(({ key, series: id, points }) => textsOf(key, new PointView(series.read(id, 0, points))))
      .sort();
  }

  /** All points of a run as texts, as clients see them. */
  points(runId: string): readonly string[] {
    return this.tracking.runs
      .get(runId)
      .metrics.flatMap(({ key }) => textsOf(key, this.tracking.history(runId, key)))
      .sort();
  }

  private experimentId(name: string): string {
    const { experiments } = this.tracking;
    const [known] = experiments.search({ filter: `name = '${name}'` }).items;
    return known?.experimentId ?? experiments.create(name);
  }
}

function textsOf(key: string, points: PointView): readonly string[] {
  return Array.from(points, ({ step, timestampMs, value }) => `${key} ${step} ${timestampMs} ${value}`);
}
