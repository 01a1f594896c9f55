import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import type { WireError } from '../../contract';
import { tryLock } from '../../storage';
import type { Endpoints } from '../endpoints/endpoints';
import type { ModelServices } from '../models/model-services';
import type { LiveSession } from './live-session';

export interface SessionRunnerParts extends Pick<ModelServices, 'loaded'> {
  /** Of the deployment; its lock keeps other processes from running it too. */
  readonly folder: string;
  readonly dataDir: string;
  readonly endpoints: Endpoints;
  /** A session ended by itself. */
  readonly onFailed: () => void;
}

interface Running {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  readonly unlock: () => Promise<void>;
}

/** Runs one session at a time, which holds the deployment's lock and keeps its models loaded. */
export class SessionRunner {
  private failed: WireError | undefined;
  private running: Running | undefined;

  constructor(private readonly parts: SessionRunnerParts) {}

  /** Why the last session ended by itself. */
  get failure(): WireError | undefined {
    return this.failed;
  }

  forgetFailure(): void {
    this.failed = undefined;
  }

  /** A failed session counts until it is halted. */
  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /**
   * @param models how many to keep loaded.
   * @throws SluiceError `conflict` while another process runs this folder's deployment.
   */
  async launch(session: LiveSession, models: number): Promise<void> {
    const { folder, dataDir, endpoints, loaded, onFailed } = this.parts;
    await mkdir(folder, { recursive: true });
    const unlock = await tryLock(join(folder, 'running.lock'));
    if (!unlock) {
      throw new SluiceError(
        'conflict',
        `Another Sluice process runs the deployment of ${dataDir}; stop it there first.`,
      );
    }
    this.failed = undefined;
    await loaded.keepIdle(models);
    const abort = new AbortController();
    endpoints.setUser(session);
    const done = session.run(abort.signal).catch((thrown: unknown) => {
      this.failed = SluiceError.from(thrown).toWire();
      onFailed();
    });
    this.running = { abort, done, unlock };
  }

  /** @returns whether one ran. */
  async halt(): Promise<boolean> {
    const { running } = this;
    if (!running) return false;
    running.abort.abort();
    await running.done;
    this.running = undefined;
    this.parts.endpoints.setUser(undefined);
    await running.unlock();
    await this.parts.loaded.keepIdle(0);
    return true;
  }
}
