import type { Readable } from 'node:stream';

import type { ArtifactPath } from '../artifacts/artifact-path';
import type { Run } from '../tracking/tracking-types';

/** Some points of a metric. */
export interface SeriesPart {
  readonly key: string;
  /** The number of the first of them, counted from 0 in the order they came. */
  readonly from: number;
  /** Packed. */
  readonly points: Uint8Array;
}

export interface TakenRun {
  /** What it is called there. */
  readonly runId: string;
  /** Where its artifacts are there. */
  readonly artifactUri: string;
}

export interface FileToSend {
  readonly bytes: number;
  readonly sha256: string;
  /** Its content from a byte on; whoever asks for it reads it to its end or destroys it. */
  contentFrom(this: void, first: number): Promise<Readable>;
}

/** What labs and MLflow servers do differently. The rest is MLflow's REST for both. */
export interface SyncTarget {
  /** A run that is not there was lost, not removed on purpose, and is made anew. */
  readonly makesLostRuns: boolean;
  /** Most points of one call of `sendPoints`. */
  readonly pointsPerBatch: number;
  /**
   * The run there, made if it is not; asked again for the same run, it gives the same.
   * @returns `elsewhere` when the remote has the run from somebody else, who forwards it.
   */
  takeRun(run: Run, experimentId: string): Promise<TakenRun | 'elsewhere'>;
  /** Sends a file, whole in its place or not at all. @param path there, names as they are. */
  sendFile(path: ArtifactPath, file: FileToSend): Promise<void>;
  /**
   * Sends points; sent again they are there once.
   * @param run here. @param remoteRun there.
   * @returns how many points of each key the remote has then.
   */
  sendPoints(run: Run, remoteRun: string, parts: readonly SeriesPart[]): Promise<ReadonlyMap<string, number>>;
}
