import { SluiceError } from '../../contract';
import { sha256Hex } from '../../storage';
import { POINT_BYTES } from '../tracking/points';
import type { SeriesLength, SeriesLog } from '../tracking/series-log';
import type { TrackingStore } from '../tracking/tracking-store';
import type { KeyValue, Run } from '../tracking/tracking-types';
import type { MlflowApi } from './mlflow-api';
import type { ChangedRun, Positions } from './positions';
import type { Remote } from './remote-types';
import type { SeriesPart, SyncTarget, TakenRun } from './sync-target';

/** The tag by which MLflow's clients nest runs. */
const PARENT_TAG = 'mlflow.parentRunId';
/** Runs are made running. */
const AS_MADE = JSON.stringify(['RUNNING', null]);
/** A remote that lost points asks for earlier ones, once a metric; one that never takes any is broken. */
const MOST_VAIN_CALLS = 3;

export interface RunSenderOptions {
  readonly remote: Remote;
  readonly api: MlflowApi;
  readonly target: SyncTarget;
  readonly tracking: TrackingStore;
  readonly series: SeriesLog;
  readonly positions: Positions;
  /** Whether the remote had the run before this lab did. */
  readonly isFromThere: (runId: string) => boolean;
  readonly onPoints: (points: number) => void;
}

/** Brings runs to one remote: what they are, then their points, at last what became of them. */
export class RunSender {
  private readonly experiments = new Map<string, Promise<string>>();

  constructor(private readonly options: RunSenderOptions) {}

  /**
   * Sends what the remote does not have of a run; metrics as they were settled last.
   * @throws SluiceError what the remote answers; what was acknowledged until then is not sent again.
   */
  async send(changed: ChangedRun): Promise<void> {
    const { remote, target, tracking, positions, isFromThere } = this.options;
    const [run] = tracking.runs.byNumbers([changed.run]);
    try {
      if (run && !isFromThere(changed.runId)) await this.sendRun(changed.run, run);
    } catch (thrown) {
      const isLost = SluiceError.from(thrown).code === 'not-found' && target.makesLostRuns;
      if (!isLost || !run || !positions.remoteRunOf(remote, changed.runId)) throw thrown;
      positions.forgetRun(remote, changed.run, changed.runId);
      await this.sendRun(changed.run, run);
    }
    positions.setDone(remote, changed);
  }

  private async sendRun(number: number, run: Run): Promise<void> {
    const taken = await this.taken(number, run);
    if (taken === 'elsewhere') return;
    await this.sendFacts(number, run, taken);
    await this.sendPoints(number, run, taken);
    await this.sendStatus(number, run, taken);
  }

  private async taken(number: number, run: Run): Promise<TakenRun | 'elsewhere'> {
    const { remote, positions, target } = this.options;
    const known = positions.remoteRunOf(remote, run.info.runId);
    if (known) return known;
    const taken = await target.takeRun(run, await this.experimentOf(run.info.experimentId));
    if (taken !== 'elsewhere') positions.setRemoteRun(remote, number, taken.runId, taken.artifactUri);
    return taken;
  }

  private experimentOf(experimentId: string): Promise<string> {
    const { tracking, api } = this.options;
    const known = this.experiments.get(experimentId);
    if (known) return known;
    const asked = api.experimentId(tracking.experiments.get(experimentId));
    this.experiments.set(experimentId, asked);
    return asked;
  }

  private async sendFacts(number: number, run: Run, { runId }: TakenRun): Promise<void> {
    const { remote, api, positions } = this.options;
    const { params, datasets } = run;
    const tags = run.tags.map((tag) => this.tagThere(tag));
    const facts = sha256Hex(Buffer.from(JSON.stringify([params, tags, datasets])));
    if (positions.runOf(remote, number)?.facts === facts) return;
    await api.logPairs(runId, params, tags);
    await api.logDatasets(runId, datasets);
    positions.setFacts(remote, number, facts);
  }

  /** Parents are made before their children, so a parent that is forwarded is there. */
  private tagThere({ key, value }: KeyValue): KeyValue {
    const { remote, positions } = this.options;
    const parent = key === PARENT_TAG ? positions.remoteRunOf(remote, value) : undefined;
    return { key, value: parent?.runId ?? value };
  }

  /** Points that are settled later wait for the run's next turn: one that logs without end would have no end. */
  private async sendPoints(number: number, run: Run, { runId }: TakenRun): Promise<void> {
    const { remote, target, series, positions, onPoints } = this.options;
    const lengths = series.lengthsOf(number);
    for (let vain = 0; vain < MOST_VAIN_CALLS;) {
      const parts = this.nextParts(number, lengths);
      if (parts.length === 0) return;
      const reached = await target.sendPoints(run, runId, parts);
      positions.setSeries(remote, number, reached);
      const gained = parts.map(({ key, from }) => Math.max(0, (reached.get(key) ?? from) - from));
      const points = gained.reduce((sum, some) => sum + some, 0);
      onPoints(points);
      vain = points > 0 ? 0 : vain + 1;
    }
    throw new SluiceError(
      'runtime',
      `${remote.url} takes no points of the run ${run.info.runId}, and does not say why.`,
    );
  }

  /** As many points as one call takes, of as many metrics as it needs. */
  private nextParts(number: number, lengths: readonly SeriesLength[]): readonly SeriesPart[] {
    const { remote, series, positions, target } = this.options;
    const reached = positions.seriesOf(remote, number);
    const parts: SeriesPart[] = [];
    let left = target.pointsPerBatch;
    for (const { key, series: id, points: length } of lengths) {
      const from = reached.get(key) ?? 0;
      if (from >= length) continue;
      const points = series.read(id, from, Math.min(left, length - from));
      parts.push({ key, from, points });
      left -= points.length / POINT_BYTES;
      if (left === 0) break;
    }
    return parts;
  }

  private async sendStatus(number: number, { info }: Run, { runId }: TakenRun): Promise<void> {
    const { remote, api, positions } = this.options;
    const { status, endMs } = info;
    const sent = JSON.stringify([status, endMs ?? null]);
    const known = positions.runOf(remote, number)?.status ?? AS_MADE;
    if (known === sent) return;
    const end = endMs === undefined ? {} : { end_time: endMs };
    await api.post('runs/update', { run_id: runId, status, ...end });
    positions.setStatus(remote, number, sent);
  }
}
