import { openAsBlob } from 'node:fs';

import { RefusedError, type MlflowHttp } from './mlflow-http';
import { batchJson, Outbox } from './outbox';

export type RunStatus = 'FINISHED' | 'FAILED' | 'KILLED';

export interface TrackedRunOptions {
  readonly runId: string;
  /** `mlflow-artifacts:/...` */
  readonly artifactUri: string;
  /** How long entries may wait for others to share a call. */
  readonly flushMs: number;
  /** Told of what was refused or could not be sent in time while nobody waited for it. */
  readonly onFault: (error: Error) => void;
}

const ARTIFACTS = 'mlflow-artifacts:';
const BAD_REQUEST = 400;

/**
 * A run of a lab or an MLflow server that this program logs to. What is logged is sent in its order, in the background; a
 * server that is away is asked again. `end`, or a program that has nothing left to do, waits until all of it is there;
 * `process.exit` does not.
 */
export class TrackedRun {
  readonly runId: string;
  private readonly outbox = new Outbox();
  /** Entries of the next call. */
  private most = Infinity;
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private hasEnded = false;
  private readonly atExit = (): void => {
    const status = process.exitCode === undefined || Number(process.exitCode) === 0 ? 'FINISHED' : 'FAILED';
    this.end(status).catch((error: unknown) => this.options.onFault(error as Error));
  };

  constructor(
    private readonly http: MlflowHttp,
    private readonly options: TrackedRunOptions,
  ) {
    this.runId = options.runId;
    process.on('beforeExit', this.atExit);
  }

  /** @param timestampMs since the Unix epoch; default: now. */
  logMetric(key: string, value: number, step = 0, timestampMs = nowMs()): void {
    this.add({ kind: 'metric', key, value, step, timestampMs: Math.round(timestampMs) });
  }

  logMetrics(values: Readonly<Record<string, number>>, step = 0, timestampMs = nowMs()): void {
    for (const [key, value] of Object.entries(values)) this.logMetric(key, value, step, timestampMs);
  }

  /** A param can't be changed: another value later is refused. */
  logParam(key: string, value: string | number | boolean): void {
    this.add({ kind: 'param', key, value: String(value) });
  }

  logParams(values: Readonly<Record<string, string | number | boolean>>): void {
    for (const [key, value] of Object.entries(values)) this.logParam(key, value);
  }

  setTag(key: string, value: string | number | boolean): void {
    this.add({ kind: 'tag', key, value: String(value) });
  }

  /**
   * Waits until all that was logged is there.
   * @throws Error when the server stayed away for too long; what was logged is kept, and sent with the next call.
   */
  async flush(): Promise<void> {
    while (this.outbox.size > 0) await (this.sending ??= this.send());
  }

  /**
   * @param path below the run's artifacts; those below `checkpoints/` can be gone on from.
   * @param content text, bytes, or a file of this machine. @throws Error as `flush`, and what the server refuses.
   */
  async logArtifact(path: string, content: string | Uint8Array | { readonly file: string }): Promise<void> {
    const names = path.split('/').map(encodeURIComponent).join('/');
    const body =
      typeof content === 'string'
        ? content
        : content instanceof Uint8Array
          ? new Uint8Array(content)
          : await openAsBlob(content.file);
    await this.http.put(`mlflow-artifacts/artifacts/${this.artifactFolder()}/${names}`, body);
  }

  /**
   * Makes an artifact the next version of a registered model, which is made where there is none of that name.
   * @param path a file or folder of the run's artifacts. @returns the version's number. @throws Error as `logArtifact`.
   */
  async registerModel(name: string, path: string): Promise<number> {
    await this.http.json('POST', 'mlflow/registered-models/create', { name }).catch((error: unknown) => {
      if (!(error instanceof RefusedError) || !error.message.includes('RESOURCE_ALREADY_EXISTS')) throw error;
    });
    const source = `${this.options.artifactUri}/${path}`;
    const body = { name, source, run_id: this.runId };
    const made = (await this.http.json('POST', 'mlflow/model-versions/create', body)) as {
      readonly model_version: { readonly version: string };
    };
    return Number(made.model_version.version);
  }

  /** Sends what is left and ends the run; once it has, another call does nothing. @throws Error as `flush`. */
  async end(status: RunStatus = 'FINISHED'): Promise<void> {
    if (this.hasEnded) return;
    this.hasEnded = true;
    process.off('beforeExit', this.atExit);
    try {
      await this.flush();
      const body = { run_id: this.runId, status, end_time: Math.round(nowMs()) };
      await this.http.json('POST', 'mlflow/runs/update', body);
    } catch (error) {
      this.hasEnded = false;
      throw error;
    }
  }

  private add(entry: Parameters<Outbox['add']>[0]): void {
    if (this.hasEnded)
      throw new Error(`Run ${this.runId} has ended: ${entry.kind} ${entry.key} comes too late.`);
    this.outbox.add(entry);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.flush().catch((error: unknown) => this.options.onFault(error as Error));
    }, this.options.flushMs).unref();
  }

  /** One call. What is refused would be again: it is looked for by halves, so that all the rest arrives. */
  private async send(): Promise<void> {
    const entries = this.outbox.first(this.most);
    try {
      await this.http.json('POST', 'mlflow/runs/log-batch', batchJson(this.runId, entries));
      this.most *= 2;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (error.status === BAD_REQUEST && entries.length > 1) {
        this.most = Math.ceil(entries.length / 2);
        return;
      }
      this.options.onFault(error);
    } finally {
      this.sending = undefined;
    }
    this.outbox.drop(entries.length);
  }

  private artifactFolder(): string {
    const { artifactUri } = this.options;
    if (artifactUri.startsWith(ARTIFACTS)) return artifactUri.slice(ARTIFACTS.length).replace(/^\/+/, '');
    throw new Error(`The artifacts of run ${this.runId} are at ${artifactUri}: expected ${ARTIFACTS}/... .`);
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
