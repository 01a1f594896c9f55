import { SluiceError } from '../../contract';
import type { ArtifactPath } from '../artifacts/artifact-path';
import { parseInput } from '../store/parse-input';
import { POINT_BYTES } from '../tracking/points';
import type { Run } from '../tracking/tracking-types';
import type { RemoteHttp } from './remote-http';
import {
  POINTS_PER_BATCH,
  receivedFileSchema,
  takenPointsSchema,
  takenRunSchema,
  type OfferedRun,
} from './sync-protocol';
import { encodedPath, sendContent, sendToProxy } from './send-content';
import type { FileToSend, SeriesPart, SyncTarget, TakenRun } from './sync-target';

/** Smaller ones are sent again when a link breaks. */
const LARGE_BYTES = 4 * 2 ** 20;

/** Another lab: it keeps the ids of runs, and account of the points it took. */
export class LabTarget implements SyncTarget {
  /** Labs mark what is deleted: one that does not know a run was put back from an older copy. */
  readonly makesLostRuns = true;
  readonly pointsPerBatch = POINTS_PER_BATCH;

  /** @param originOf the lab where a run was made. */
  constructor(
    private readonly http: RemoteHttp,
    private readonly labId: string,
    private readonly originOf: (runId: string) => string,
  ) {}

  async takeRun({ info }: Run, experimentId: string): Promise<TakenRun | 'elsewhere'> {
    const { runId, name, userId, startMs } = info;
    const offered: OfferedRun = {
      sender: this.labId,
      origin: this.originOf(runId),
      runId,
      experimentId,
      name,
      userId,
      ...(startMs !== undefined && { startMs }),
    };
    const answer = await this.http.send('POST', '/api/sluice/sync/runs', offered);
    const { isTaken, artifactUri } = parseInput(`An answer of ${this.http.url}`, takenRunSchema, answer);
    return isTaken ? { runId, artifactUri } : 'elsewhere';
  }

  /** A large one goes on where it broke off. */
  async sendFile(path: ArtifactPath, file: FileToSend): Promise<void> {
    if (file.bytes < LARGE_BYTES) return sendToProxy(this.http, path, file);
    const { bytes, sha256 } = file;
    const url = `/api/sluice/sync/files/${encodedPath(path)}`;
    const query = { bytes: String(bytes), sha256 };
    const known = parseInput(
      `An answer of ${this.http.url}`,
      receivedFileSchema,
      await this.http.get(url, query),
    );
    const from = known.bytes < bytes ? known.bytes : 0;
    const search = new URLSearchParams({ ...query, from: String(from) }).toString();
    const answer = await sendContent(this.http, `${url}?${search}`, file, from);
    const { isDone, bytes: there } = parseInput(`An answer of ${this.http.url}`, receivedFileSchema, answer);
    if (isDone) return;
    throw new SluiceError('runtime', `${this.http.url} has ${there} of ${bytes} bytes of ${path.join('/')}.`);
  }

  async sendPoints(
    { info }: Run,
    _remoteRun: string,
    parts: readonly SeriesPart[],
  ): Promise<ReadonlyMap<string, number>> {
    const series = parts.map(({ key, from, points }) => ({
      key,
      from,
      points: Buffer.from(points.buffer, points.byteOffset, points.byteLength).toString('base64'),
    }));
    const body = { sender: this.labId, runId: info.runId, series };
    const answer = await this.http.send('POST', '/api/sluice/sync/points', body);
    const { taken } = parseInput(`An answer of ${this.http.url}`, takenPointsSchema, answer);
    const byKey = new Map(taken);
    // One that was put back from a backup has less than it once acknowledged, or (if this one was) more than is known here.
    return new Map(
      parts.map(({ key, from, points }) => [
        key,
        Math.min(byKey.get(key) ?? from, from + points.byteLength / POINT_BYTES),
      ]),
    );
  }
}
