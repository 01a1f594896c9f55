import { join } from 'node:path';

import type { FastifyRequest } from 'fastify';

import type { Clock, Random } from '../base';
import { SluiceError } from '../contract';
import { BearerToken } from '../serving';
import type { Listener, ServerLimits, TlsFiles } from '../serving';
import type { SecretBox } from '../storage';
import { ArtifactStore } from './artifacts/artifact-store';
import { LabChanges } from './changes/lab-changes';
import { collectLab } from './collect-lab';
import { COMPETITIONS_SCHEMA, CompetitionStore } from './competitions/competition-store';
import { Competitions } from './competitions/competitions';
import { QueuedSubmissionJobs } from './competitions/jobs/queued-submission-jobs';
import { openTrees } from './datasets/open-trees';
import { datasetSchema } from './datasets/dataset-schema';
import { Datasets } from './datasets/datasets';
import { Snapshots } from './datasets/snapshot/snapshots';
import type { JobEngine, JobResources } from './jobs/job-engine';
import { LocalEngine } from './jobs/local/local-engine';
import { JobQueue } from './jobs/queue/job-queue';
import type { QueuePolicy } from './jobs/queue/queue-policy';
import { JOBS_SCHEMA } from './jobs/queue/queue-store';
import { LabModels, runNameIn } from './lab-models';
import { ModelRegistry } from './registry/model-registry';
import { REGISTRY_SCHEMA } from './registry/registry-schema';
import { RunPages } from './rows/run-pages';
import { RunRows } from './rows/run-rows';
import type { LabAddress } from './runs/run-environment';
import { RunService } from './runs/run-service';
import { runOfJob, RUNS_SCHEMA } from './runs/run-store';
import { SEARCH_SCHEMA } from './search/driver/search-store';
import { Searches } from './search/runs/searches';
import { TRIALS_SCHEMA } from './search/runs/trial-run-store';
import { artifactRoutes } from './server/artifact-routes';
import { changeRoutes } from './server/change-routes';
import { collectRoutes } from './server/collect-routes';
import { competitionRoutes } from './server/competition-routes';
import { datasetRoutes } from './server/dataset-routes';
import { startLabServer } from './server/lab-server';
import { launchRoutes } from './server/launch-routes';
import { modelRoutes } from './server/model-routes';
import { queueRoutes } from './server/queue-routes';
import { registryRoutes } from './server/registry-routes';
import { rowRoutes } from './server/row-routes';
import { searchRoutes } from './server/search-routes';
import { syncRoutes } from './server/sync-routes';
import { trackingRoutes } from './server/tracking-routes';
import { LabDatabase } from './store/lab-database';
import { takeLabFolder, type LabFolder } from './store/lab-folder';
import { LabSync } from './sync/lab-sync';
import { SYNC_SCHEMA } from './sync/sync-schema';
import { TRACKING_SCHEMA } from './tracking/tracking-schema';
import { hexId } from './tracking/run-store';
import { TrackingStore } from './tracking/tracking-store';

export interface LabOptions {
  /** Held by this process alone while the lab is open. */
  readonly folder: string;
  readonly clock: Clock;
  /** Of ids that nobody should guess. */
  readonly random: Random;
  /** Who asks where a request does not say. */
  readonly defaultUser: string;
  /** Locks tokens of remotes on the disk; without it they are held in memory only. */
  readonly secrets?: SecretBox | undefined;
  /** What jobs of this machine may have together; default: what it has. */
  readonly totals?: Partial<JobResources>;
  /** Beside the local one. */
  readonly engines?: readonly JobEngine[];
  readonly policy?: Partial<QueuePolicy>;
  /** Of datasets laid out for runs. Default 20 GiB. */
  readonly cacheBytes?: number;
  /** What went wrong where nobody waits for an answer. */
  readonly onFault: (message: string) => void;
}

export interface LabServing {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly tls?: TlsFiles;
  /** Absent: whoever reaches the server may log to it; only on loopback. */
  readonly token?: string;
  /** What launching runs, datasets and submissions take; that of `token` where there is one. */
  readonly launchToken: string;
  /** Searches that are there go on when they are told to; by default at once. */
  readonly searchesWait?: boolean;
  /** Nothing is forwarded by itself. */
  readonly syncWaits?: boolean;
}

const SCHEMAS = [
  TRACKING_SCHEMA,
  REGISTRY_SCHEMA,
  datasetSchema,
  JOBS_SCHEMA,
  RUNS_SCHEMA,
  SEARCH_SCHEMA,
  TRIALS_SCHEMA,
  COMPETITIONS_SCHEMA,
  SYNC_SCHEMA,
];
const DEFAULT_CACHE_BYTES = 20 * 2 ** 30;
const USER_HEADER = 'x-sluice-user';

/** A lab: what was tracked, kept and launched in one folder, and its server. */
export class Lab {
  private listener: Listener | undefined;
  private address: LabAddress | undefined;

  private constructor(
    private readonly options: LabOptions,
    private readonly folder: LabFolder,
    private readonly database: LabDatabase,
    readonly tracking: TrackingStore,
    readonly registry: ModelRegistry,
    readonly artifacts: ArtifactStore,
    readonly datasets: Datasets,
    readonly queue: JobQueue,
    private readonly engines: readonly JobEngine[],
    private readonly snapshots: Snapshots,
    private readonly changes: LabChanges,
    readonly sync: LabSync,
  ) {
    this.unwatch = queue.watch((key) => {
      changes.touch('queue');
      changes.touchRun(runOfJob(key));
    });
    this.runs = new RunService({
      database,
      tracking,
      datasets,
      snapshots: this.snapshots,
      artifacts,
      queue,
      folder: join(folder.path, 'runs'),
      cacheFolder: join(folder.path, 'dataset-cache'),
      cacheBytes: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
      clock: options.clock,
      address: () => this.addressForJobs(),
    });
    const { clock, onFault } = options;
    this.searches = new Searches({ database, runs: this.runs, tracking, clock, onFault });
    this.submissionJobs = new QueuedSubmissionJobs({
      datasets,
      snapshots: this.snapshots,
      artifacts,
      queue,
      folder: join(folder.path, 'submissions'),
      runOf: (runId) => this.runs.get(runId),
      artifactUriOf: (runId) => tracking.runs.get(runId).info.artifactUri,
    });
    this.competitions = new Competitions({
      store: new CompetitionStore(database),
      jobs: this.submissionJobs,
      clock: options.clock,
      onFault: (error) => options.onFault(faultText(error)),
    });
  }

  readonly runs: RunService;
  readonly searches: Searches;
  readonly competitions: Competitions;
  private readonly unwatch: () => void;
  private readonly submissionJobs: QueuedSubmissionJobs;

  /**
   * Opens the lab in a folder, or makes one there. Jobs that ran go on, those that wait do so.
   * @throws SluiceError `conflict` (another process has it), `io`, `bad-input`, `unsupported` (a newer Sluice made it; no
   * Linux).
   */
  static async open(options: LabOptions): Promise<Lab> {
    const { clock, random, totals } = options;
    const folder = await takeLabFolder(options.folder);
    const opened: (() => unknown)[] = [() => folder.release()];
    try {
      const database = LabDatabase.open(folder.databaseFile, SCHEMAS);
      opened.push(() => database.close());
      const changes = new LabChanges(database, clock, hexId(random));
      const tracking = new TrackingStore(database, { clock, random, artifactRoot: 'mlflow-artifacts:/' });
      const artifacts = await ArtifactStore.open(folder.path);
      const trees = await openTrees(join(folder.path, 'data'), clock);
      const local = await LocalEngine.open({
        folder: join(folder.path, 'jobs'),
        clock,
        ...(totals && { totals }),
      });
      const engines = [local, ...(options.engines ?? [])];
      opened.push(...engines.map((engine) => () => engine.close()));
      const { policy } = options;
      const queue = new JobQueue({ database, engines, clock, ...(policy && { policy }) });
      opened.push(() => queue.close());
      const registry = new ModelRegistry({
        database,
        clock,
        lookup: {
          artifactUriOf: (runId) => tracking.runs.get(runId).info.artifactUri,
          loggedModelUri: (id) => tracking.models.get(id).artifactUri,
        },
        onListenerFault: (cause) => options.onFault(SluiceError.from(cause).message),
      });
      const datasets = new Datasets(database, trees);
      const snapshots = new Snapshots(database, trees);
      const sync = await LabSync.open({
        ...{ database, tracking, artifacts, registry, clock, random },
        folder: join(folder.path, 'sync'),
        secrets: options.secrets,
      });
      const lab = new Lab(
        options,
        folder,
        database,
        tracking,
        registry,
        artifacts,
        datasets,
        queue,
        engines,
        snapshots,
        changes,
        sync,
      );
      lab.competitions.start();
      return lab;
    } catch (cause) {
      for (const close of opened.reverse()) await close();
      throw cause;
    }
  }

  /** Listens. @returns the URL by which programs of this machine reach it. @throws SluiceError as `startLabServer`. */
  async serve(serving: LabServing): Promise<string> {
    const { host, port, limits, tls, token, launchToken } = serving;
    const { tracking, registry, artifacts, datasets, runs, searches, queue, changes, sync } = this;
    const guard = new BearerToken(token ?? launchToken);
    const userOf = (request: FastifyRequest): string => this.userOf(request);
    const launcherOf = (request: FastifyRequest): string => {
      guard.check(request.headers.authorization);
      return userOf(request);
    };
    const artifactUriOf = (runId: string): string => tracking.runs.get(runId).info.artifactUri;
    const rows = new RunRows({ database: this.database, tracking, queue, changes });
    const pages = new RunPages({ database: this.database, tracking, artifacts, runs, rows });
    const { clock } = this.options;
    this.listener = await startLabServer({
      routes: [
        trackingRoutes(tracking),
        registryRoutes(registry),
        artifactRoutes({ store: artifacts, artifactUriOf, stallMs: limits.stallMs }),
        // The programs of runs reach the server too: by a name alone they would read hidden parts as the owner.
        datasetRoutes({ datasets, userOf: (request) => ({ name: launcherOf(request) }) }),
        launchRoutes({ runs, guard, userOf }),
        queueRoutes({ queue, runs, guard, userOf }),
        searchRoutes({ searches, guard, userOf }),
        changeRoutes({ changes, guard }),
        competitionRoutes(this.competitions, launcherOf, (runId) => runNameIn(tracking, runId)),
        modelRoutes(new LabModels({ registry, runs, tracking, artifacts }), guard),
        collectRoutes((asked) => collectLab(this, asked), launcherOf),
        rowRoutes({ rows, pages, runs, clock, guard }),
        syncRoutes({ sync, guard, stallMs: limits.stallMs }),
      ],
      token: token === undefined ? undefined : new BearerToken(token),
      host,
      port,
      limits,
      ...(tls && { tls }),
    });
    const url = `${tls ? 'https' : 'http'}://${reachable(host)}:${this.listener.port}`;
    this.address = { url, ...(token !== undefined && { token }) };
    if (serving.searchesWait !== true) searches.goOn();
    if (serving.syncWaits !== true) sync.start();
    return url;
  }

  /** Jobs go on. */
  async close(): Promise<void> {
    await this.sync.close();
    await this.listener?.close();
    await this.searches.close();
    this.competitions.close();
    await this.submissionJobs.close();
    await this.competitions.settled();
    this.unwatch();
    this.runs.close();
    await this.queue.close();
    for (const engine of this.engines) await engine.close();
    this.tracking.settle();
    this.database.close();
    await this.folder.release();
  }

  private addressForJobs(): LabAddress {
    if (this.address) return this.address;
    throw new SluiceError('internal', 'A run was launched before the lab had an address.');
  }

  private userOf({ headers }: FastifyRequest): string {
    const named = headers[USER_HEADER];
    return typeof named === 'string' && named !== '' ? named : this.options.defaultUser;
  }
}

function faultText({ message, cause }: SluiceError): string {
  return cause === undefined ? message : `${message} (${SluiceError.from(cause).message})`;
}

/** A server that listens on every address is reached by loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
