import { join } from 'node:path';

import { z } from 'zod';

import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import type { LabPart, LabStatus } from '../../../contract';
import type { Log } from '../../state-file';
import { currentUser } from './current-user';
import { findNode } from './find-node';
import { LabApi } from './lab-api';
import { startLabChild, type LabChild } from './lab-child';
import { LAB_PARTS } from './lab-parts';
import { readServerFile } from './server-file';

export interface LabServiceOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStatus: (status: LabStatus) => void;
  /** At most 4 a second. */
  readonly onChange: (parts: readonly LabPart[]) => void;
}

/** A lab that answers, for as long as it does. */
interface Link {
  readonly api: LabApi;
  /** Of one on this machine. */
  readonly folder?: string;
  /** Absent: it was there before. */
  readonly child?: LabChild;
  readonly lost: AbortController;
}

/** So many in so short a time, and it is not started again until that is asked for. */
const MOST_STARTS = 3;
const STARTS_WITHIN_MS = 60_000;
/** Another process has the folder and does not tell yet where it listens, or is about to let go of it. */
const HELD_MS = 20_000;
const HELD_AGAIN_MS = 250;
const CHANGES_WAIT_MS = 25_000;
const CHANGES_APART_MS = 250;
/** A server that does not answer any more has mostly ended. */
const ENDED_WITHIN_MS = 2000;

const changesSchema = z.object({ revision: z.string(), parts: z.array(z.enum(LAB_PARTS)) });

/**
 * The lab of a data folder as the engine sees it: finds its server, or starts one that ends with this process, and tells
 * what changes there.
 */
export class LabService {
  private shown: LabStatus;
  private link: Link | undefined;
  private linking: Promise<LabApi> | undefined;
  private startsMs: readonly number[] = [];
  private wasLinked = false;
  private isClosed = false;

  constructor(private readonly options: LabServiceOptions) {
    this.shown = { state: 'off', isShared: false, user: this.user };
  }

  status(): LabStatus {
    return this.shown;
  }

  /** Tries again where it failed. */
  async start(): Promise<LabStatus> {
    this.startsMs = [];
    // What it fails with is in the status.
    await this.api().catch(() => undefined);
    return this.shown;
  }

  /**
   * Reaches the lab, and starts its server where there is none.
   * @throws SluiceError `unavailable` (with what its server said), `unsupported` (no Node new enough), `io`.
   */
  async api(): Promise<LabApi> {
    if (this.isClosed) throw new SluiceError('cancelled', 'This engine is ending.');
    if (this.link && !(await this.isGone(this.link))) return this.link.api;
    return (this.linking ??= this.connect().finally(() => (this.linking = undefined)));
  }

  /** A server that was started here ends; runs go on. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.linking?.catch(() => undefined);
    this.link?.lost.abort();
    await this.link?.child?.close();
  }

  private get user(): string {
    const { SLUICE_USER: user } = this.options.env;
    return user === undefined || user === '' ? currentUser() : user;
  }

  private async connect(): Promise<LabApi> {
    this.show({ state: 'starting', isShared: false, user: this.user });
    try {
      const link = await this.reach();
      const { revision } = await link.api.get('changes', changesSchema);
      this.link = link;
      const { url } = link.api;
      const isShared = link.child === undefined;
      this.show({
        state: 'ready',
        url,
        ...(link.folder !== undefined && { folder: link.folder }),
        isShared,
        user: this.user,
      });
      void link.child?.ended.then((how) => this.lose(link, `The lab's server ended: ${how}.`));
      void this.follow(link, revision);
      return link.api;
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      this.show({ state: 'failed', isShared: false, user: this.user, error: error.toWire() });
      throw error;
    }
  }

  private async reach(): Promise<Link> {
    const { dataDir, env, clock } = this.options;
    const { SLUICE_LAB_URL: url, SLUICE_LAB_TOKEN: token } = env;
    if (url !== undefined && url !== '') {
      return {
        api: new LabApi(url.replace(/\/+$/, ''), token, this.user),
        lost: new AbortController(),
      };
    }
    const folder = join(dataDir, 'lab');
    const untilMs = clock.nowMs() + HELD_MS;
    for (;;) {
      const known = await readServerFile(folder);
      if (known) return { ...this.linkTo(known), folder };
      try {
        return await this.startOwn(folder);
      } catch (thrown) {
        const { code } = SluiceError.from(thrown);
        if (code !== 'conflict' || clock.nowMs() > untilMs || this.isClosed) throw thrown;
        await this.pause(HELD_AGAIN_MS);
      }
    }
  }

  private async startOwn(folder: string): Promise<Link> {
    this.refuseManyStarts();
    const { env, dataDir, clock, log } = this.options;
    const { execPath, versions } = process;
    const node = await findNode({ env, execPath, versions });
    const child = await startLabChild({ node, dataDir, env, clock, log });
    this.startsMs = [...this.startsMs, clock.nowMs()];
    const address = await readServerFile(folder);
    if (address) return { ...this.linkTo(address), folder, child };
    await child.close();
    throw new SluiceError('unavailable', `The lab's server in ${folder} ended as soon as it had begun.`);
  }

  private refuseManyStarts(): void {
    const nowMs = this.options.clock.nowMs();
    this.startsMs = this.startsMs.filter((atMs) => nowMs - atMs < STARTS_WITHIN_MS);
    if (this.startsMs.length < MOST_STARTS) return;
    const last = this.shown.error?.message ?? '';
    throw new SluiceError(
      'unavailable',
      `The lab's server ended ${MOST_STARTS} times within a minute and is not started again by itself. ${last}`.trim(),
    );
  }

  private linkTo({ url, token }: { readonly url: string; readonly token: string }): Link {
    return { api: new LabApi(url, token, this.user), lost: new AbortController() };
  }

  /** Whoever ended a server that is not ours did not tell us. */
  private async isGone(link: Link): Promise<boolean> {
    if (link.folder === undefined) return false;
    const known = await readServerFile(link.folder);
    if (known?.url === link.api.url && known.token === link.api.token) return false;
    this.lose(link, `The lab's server at ${link.api.url} is gone.`);
    return true;
  }

  private lose(link: Link, reason: string): void {
    if (this.link !== link || this.isClosed) return;
    this.link = undefined;
    link.lost.abort();
    // One that has not ended does not answer: the next one needs its folder.
    void link.child?.close();
    // One on this machine that others ran was theirs to end.
    const isTheirs = !link.child && link.folder !== undefined;
    const error = new SluiceError('unavailable', reason).toWire();
    this.show({
      ...(isTheirs ? { state: 'off' } : { state: 'failed', error }),
      isShared: false,
      user: this.user,
    });
  }

  private show(status: LabStatus): void {
    this.shown = status;
    if (!this.isClosed) this.options.onStatus(status);
  }

  /** Tells what changes there for as long as it answers. */
  private async follow(link: Link, from: string): Promise<void> {
    const { onChange } = this.options;
    const { signal } = link.lost;
    // What was known of a lab before may have changed while nobody looked.
    if (this.wasLinked) onChange(LAB_PARTS);
    this.wasLinked = true;
    let since = from;
    try {
      for (;;) {
        const query = new URLSearchParams({ since, waitMs: String(CHANGES_WAIT_MS) });
        const { revision, parts } = await link.api.get(`changes?${query.toString()}`, changesSchema, signal);
        since = revision;
        if (parts.length === 0) continue;
        onChange(parts);
        await this.pause(CHANGES_APART_MS);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      // How it ended tells more.
      if (link.child) await Promise.race([link.child.ended, this.pause(ENDED_WITHIN_MS)]);
      this.lose(link, SluiceError.from(thrown).message);
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve));
  }
}
