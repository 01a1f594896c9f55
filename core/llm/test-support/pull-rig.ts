import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Clock } from '../../base';
import { hubEndpoint } from '../hub/hub-address';
import { pullFiles, type PulledModel, type PullRequest } from '../hub/pull-files';
import { FakeHub } from './fake-hub';

export interface RigPull extends Partial<PullRequest> {
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly hubUrl?: string;
}

/** A hub, folders to pull into, and a clock whose pauses take no time and are noted. */
export class PullRig {
  pausesMs: number[] = [];
  readonly clock: Clock = {
    nowMs: () => Date.UTC(2026, 0, 1),
    after: (delayMs, run) => {
      this.pausesMs.push(delayMs);
      const timer = setImmediate(run);
      return () => clearImmediate(timer);
    },
  };
  readonly root = mkdtempSync(path.join(tmpdir(), 'sluice-hub-'));
  private folders = 0;

  private constructor(readonly hub: FakeHub) {}

  static async start(): Promise<PullRig> {
    return new PullRig(await FakeHub.start());
  }

  /** A folder that is not there yet. */
  fresh(): string {
    return path.join(this.root, String(this.folders++));
  }

  async pull({ token, signal, hubUrl = this.hub.url, ...request }: RigPull = {}): Promise<PulledModel> {
    const settings = {
      endpoint: hubEndpoint(hubUrl),
      clock: this.clock,
      ...(token !== undefined && { token }),
      ...(signal && { signal }),
    };
    return pullFiles(settings, {
      repo: this.hub.repo,
      folder: this.fresh(),
      onChosen: () => undefined,
      ...request,
      onProgress: (progress) => {
        this.hub.arrived(progress.doneBytes);
        request.onProgress?.(progress);
      },
    });
  }

  /** Of every request for a file's bytes its range, and whether it was bound to a version. */
  cdnRequests(): unknown[] {
    const requests = this.hub.requests.filter(({ host }) => host === 'cdn');
    return requests.map(({ range, ifRange }) => [range, ifRange !== undefined]);
  }

  reset(): void {
    this.hub.reset();
    this.pausesMs = [];
  }

  async close(): Promise<void> {
    await this.hub.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** 300,000 bytes. */
export const CONTENT = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251);
