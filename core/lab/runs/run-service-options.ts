import type { Clock } from '../../base';
import type { ArtifactStore } from '../artifacts/artifact-store';
import type { Datasets } from '../datasets/datasets';
import type { Snapshots } from '../datasets/snapshot/snapshots';
import type { JobQueue } from '../jobs/queue/job-queue';
import type { LabDatabase } from '../store/lab-database';
import type { TrackingStore } from '../tracking/tracking-store';
import type { LabAddress } from './run-environment';

/** What runs are made from and kept in. */
export interface RunServiceOptions {
  readonly database: LabDatabase;
  readonly tracking: TrackingStore;
  readonly datasets: Datasets;
  readonly snapshots: Snapshots;
  readonly artifacts: ArtifactStore;
  readonly queue: JobQueue;
  /** Of the runs' own files. */
  readonly folder: string;
  /** Of datasets as runs read them. */
  readonly cacheFolder: string;
  /** Datasets that no run holds make room above this. */
  readonly cacheBytes: number;
  readonly clock: Clock;
  /** Where programs reach the lab; asked when a job is handed to the queue. */
  readonly address: () => LabAddress;
}
