import { parseInput } from '../store/parse-input';
import { POINT_BYTES } from '../tracking/points';
import type { Run } from '../tracking/tracking-types';
import type { RemoteHttp } from './remote-http';
import { POINTS_PER_BATCH, takenPointsSchema, takenRunSchema, type OfferedRun } from './sync-protocol';
import type { SeriesPart, SyncTarget, TakenRun } from './sync-target';

/** Another lab: it keeps the ids of runs, and account of the points it took. */
export class LabTarget implements SyncTarget {
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
