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
import { isServing, readServerFile, type FoundServer } from './server-file';
import { ServerPulse, type Pulse, type PulseTimes } from './server-pulse';

export interface LabServiceOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  readonly onStatus: (status: LabStatus) => void;
  /** At most 4 a second. */
  readonly onChange: (parts: readonly LabPart[]) => void;
  /** How long a server that hangs is waited for. */
  readonly pulse?: PulseTimes;
}

/** A lab that is spoken with, for as long as its server is the same. */
interface Link {
  readonly api: LabApi;
  /** Of one on this machine. */
  readonly place?: { readonly folder: string; readonly server: FoundServer };
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
/** Between two questions to a server that hangs. */
const SILENT_AGAIN_MS = 1000;

/** A newer lab may have parts that this console knows nothing of. */
const changesSchema = z.object({
  revision: z.string(),
  parts: z.array(z.unknown()).transform((parts) => LAB_PARTS.filter((part) => parts.includes(part))),
});

/**
 * The lab of a data folder as the engine sees it: finds its server, or starts one that ends with this process, and tells
 * what changes there.
 */
export class LabService {
  private shown: LabStatus;
  private link: Link | undefined;
  /** What its server has been since it hangs. */
  private silence: SluiceError | undefined;
  private linking: Promise<LabApi> | undefined;
  private isAwaiting = false;
  private startsMs: readonly number[] = [];
  private wasLinked = false;
  private isClosed = false;

  constructor(private readonly options: LabServiceOptions) {
    this.shown = { state: 'off', isShared: false, user: this.user };
  }

  status(): LabStatus {
    return this.shown;
  }

  /** Tries again where it failed. A server of ours that hangs is ended, and another one started. */
  async start(): Promise<LabStatus> {
    this.startsMs = [];
    const { link } = this;
    if (link?.child && this.silence) {
      this.lose(link, this.silence);
      await link.child.kill();
    }
    // What it fails with is in the status.
    await this.api().catch(() => undefined);
    return this.shown;
  }

  /**
   * Reaches the lab, and starts its server where there is none.
   * @throws SluiceError `unavailable` (with what its server said), `timeout` (it hangs), `unsupported` (no Node new
   * enough), `io`.
   */
  async api(): Promise<LabApi> {
    if (this.isClosed) throw new SluiceError('cancelled', 'This engine is ending.');
    if (this.link && !(await this.isGone(this.link))) {
      if (this.silence) throw this.silence;
      return this.link.api;
    }
    return (this.linking ??= this.connect().finally(() => (this.linking = undefined)));
  }

  /** A server that was started here ends; runs go on. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.linking?.catch(() => undefined);
    this.link?.lost.abort();
    const child = this.link?.child;
    // One that hangs does not hear that it is to end.
    await (this.silence ? child?.kill() : child?.close());
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
      this.showReady(link);
      void link.child?.ended.then((how) => this.lose(link, unavailable(`The lab's server ${how}.`)));
      void this.follow(link, revision);
      return link.api;
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      this.show({ state: 'failed', isShared: false, user: this.user, error: error.toWire() });
      if (error.code === 'timeout') void this.awaitAnswer(error);
      throw error;
    }
  }

  private async reach(): Promise<Link> {
    const { dataDir, env, clock } = this.options;
    const { SLUICE_LAB_URL: url, SLUICE_LAB_TOKEN: token } = env;
    if (url !== undefined && url !== '') {
      return this.linkTo(url.replace(/\/+$/, ''), token);
    }
    const folder = join(dataDir, 'lab');
    const untilMs = clock.nowMs() + HELD_MS;
    for (;;) {
      const known = await readServerFile(folder);
      if (known) return { ...this.linkTo(known.url, known.token), place: { folder, server: known } };
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
    const server = await readServerFile(folder);
    if (server) return { ...this.linkTo(server.url, server.token), place: { folder, server }, child };
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

  private linkTo(url: string, token: string | undefined): Link {
    const pulse = new ServerPulse(url, this.options.pulse);
    return { api: new LabApi(url, token, this.user, pulse), lost: new AbortController() };
  }

  /** Whoever ended a server that is not ours did not tell us. */
  private async isGone(link: Link): Promise<boolean> {
    const { place } = link;
    if (!place || (await isServing(place.folder, place.server))) return false;
    this.lose(link, unavailable(`The lab's server at ${link.api.url} is gone.`));
    return true;
  }

  private lose(link: Link, reason: SluiceError): void {
    if (this.link !== link || this.isClosed) return;
    this.link = undefined;
    this.silence = undefined;
    link.lost.abort();
    // One that has not ended does not answer: the next one needs its folder.
    void link.child?.close();
    // One on this machine that others ran was theirs to end.
    const isTheirs = !link.child && link.place !== undefined;
    this.show({
      ...(isTheirs ? { state: 'off' } : { state: 'failed', error: reason.toWire() }),
      isShared: false,
      user: this.user,
    });
  }

  private showReady({ api: { url }, place, child }: Link): void {
    this.show({
      state: 'ready',
      url,
      ...(place && { folder: place.folder }),
      isShared: child === undefined,
      user: this.user,
    });
  }

  private show(status: LabStatus): void {
    this.shown = status;
    if (!this.isClosed) this.options.onStatus(status);
  }

  /** Tells what changes there for as long as its server is there. */
  private async follow(link: Link, from: string): Promise<void> {
    const { onChange } = this.options;
    // What was known of a lab before may have changed while nobody looked.
    if (this.wasLinked) onChange(LAB_PARTS);
    this.wasLinked = true;
    let since = from;
    for (;;) {
      try {
        since = await this.nextChange(link, since);
      } catch (thrown) {
        const error = SluiceError.from(thrown);
        if (link.lost.signal.aborted) return;
        if (error.code === 'timeout') await this.waitOut(link, error);
        else await this.giveUp(link, error);
      }
    }
  }

  /** @returns the revision after it. */
  private async nextChange({ api, lost }: Link, since: string): Promise<string> {
    const query = new URLSearchParams({ since, waitMs: String(CHANGES_WAIT_MS) });
    const { revision, parts } = await api.get(`changes?${query.toString()}`, changesSchema, lost.signal);
    if (parts.length > 0) {
      this.options.onChange(parts);
      await this.pause(CHANGES_APART_MS);
    }
    return revision;
  }

  /** Until a server that hangs answers again, or is gone. What is asked meanwhile fails at once. */
  private async waitOut(link: Link, silence: SluiceError): Promise<void> {
    this.silence = silence;
    this.show({
      state: 'failed',
      isShared: link.child === undefined,
      user: this.user,
      error: silence.toWire(),
    });
    const { signal } = link.lost;
    let pulse: Pulse = 'silent';
    while (pulse === 'silent' && !signal.aborted && !(await this.isGone(link))) {
      await this.pause(SILENT_AGAIN_MS);
      pulse = await link.api.pulse.ask(signal);
    }
    if (signal.aborted) return;
    this.silence = undefined;
    // One that is gone meanwhile is told by what is asked next.
    if (pulse === 'answers') this.showReady(link);
  }

  /** A server that hung when it was looked for is taken as soon as it answers. */
  private async awaitAnswer({ details }: SluiceError): Promise<void> {
    if (this.isAwaiting) return;
    this.isAwaiting = true;
    const server = new ServerPulse(String(details['url']), this.options.pulse);
    let pulse: Pulse = 'silent';
    while (pulse === 'silent' && !this.isClosed && this.shown.state !== 'ready') {
      await this.pause(SILENT_AGAIN_MS);
      pulse = await server.ask();
    }
    this.isAwaiting = false;
    // What it fails with is in the status.
    if (pulse === 'answers' && !this.isClosed) await this.api().catch(() => undefined);
  }

  private async giveUp(link: Link, error: SluiceError): Promise<void> {
    // How it ended tells more.
    if (link.child) await Promise.race([link.child.ended, this.pause(ENDED_WITHIN_MS)]);
    this.lose(link, error);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(ms, resolve));
  }
}

function unavailable(message: string): SluiceError {
  return new SluiceError('unavailable', message);
}
