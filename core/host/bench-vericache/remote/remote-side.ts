import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { engineClockMs, median } from '../../../base';
import { SluiceError } from '../../../contract';
import { BLOCK_TOKENS, DiskCache, openRemotePrefix, type DiskCacheOptions } from '../../../vericache';
import type { Side, SideRun, VericacheRow } from '../rows';
import { runSide, type Bench, type SideRequest } from '../side-runner';
import type { PrefixNode } from './prefix-node';

export interface RemoteSideOptions {
  readonly node: PrefixNode;
  readonly side: Side;
  readonly bench: Bench;
  readonly prompt: SideRequest['prompt'];
  readonly settings: SideRequest['settings'];
  /** For caches of its own, below `folder`, with the node's identity. */
  readonly cache: DiskCacheOptions;
}

/** VeriCache over a prompt whose full cache is on another node. */
export class RemoteSide {
  private readonly prefillsMs: number[] = [];
  private readonly localPrefillsMs: number[] = [];

  private constructor(private readonly options: RemoteSideOptions) {}

  /** Lets the node compute the prompt, which is no part of what is measured. @throws SluiceError as `openRemotePrefix`. */
  static async prepare(options: RemoteSideOptions): Promise<RemoteSide> {
    const remote = new RemoteSide(options);
    const { close } = await remote.open();
    await close();
    return remote;
  }

  /**
   * One reply over the node's cache, and beside it the prompt computed here by the same side.
   * @param isCounted whether its times count.
   * @throws SluiceError `unavailable` when the node was lost meanwhile: then the figures would be those of another side.
   */
  async run(isCounted: boolean): Promise<SideRun> {
    const localPrefillMs = isCounted ? await this.prefillHere() : 0;
    const { bench, side, prompt, settings } = this.options;
    const startMs = engineClockMs();
    const { cache, storedText, close } = await this.open();
    const openMs = engineClockMs() - startMs;
    try {
      const run = await runSide(side, bench, { fullCache: cache, storedText, prompt, settings });
      this.refuseLostNode(cache.blocksOnNode);
      const prefillMs = openMs + run.prefillMs;
      if (isCounted) {
        this.prefillsMs.push(prefillMs);
        this.localPrefillsMs.push(localPrefillMs);
      }
      return { ...run, prefillMs };
    } finally {
      await close();
    }
  }

  /** What its row has beside those of other sides. */
  figures(): Required<Pick<VericacheRow, 'remoteTokens' | 'prefillMs' | 'localPrefillMs'>> {
    return {
      remoteTokens: this.blocks * BLOCK_TOKENS,
      prefillMs: Math.round(median(this.prefillsMs)),
      localPrefillMs: Math.round(median(this.localPrefillsMs)),
    };
  }

  /** Of the prompt, but for its last token, which goes through again for its logits. */
  private get blocks(): number {
    return Math.floor((this.options.prompt.length - 1) / BLOCK_TOKENS);
  }

  private async open(): Promise<
    Awaited<ReturnType<typeof openRemotePrefix>> & { close: () => Promise<void> }
  > {
    const { node, prompt, cache } = this.options;
    const local = await this.emptyCache('behind-prefix');
    try {
      const opened = await openRemotePrefix({
        node: node.address,
        model: node.model,
        identity: cache.identity,
        tokens: prompt,
        local,
        missing: 'prefill',
      });
      return { ...opened, close: () => opened.cache.close() };
    } catch (error) {
      await local.close();
      throw error;
    }
  }

  private async prefillHere(): Promise<number> {
    const { bench, side, prompt, settings } = this.options;
    const fullCache = await this.emptyCache('computed-here');
    try {
      const request = { fullCache, storedText: [], prompt, settings };
      return (await runSide(side, { ...bench, tokens: 1 }, request)).prefillMs;
    } finally {
      await fullCache.close();
    }
  }

  private async emptyCache(name: string): Promise<DiskCache> {
    const folder = join(this.options.cache.folder, name);
    await rm(folder, { recursive: true, force: true });
    return DiskCache.open({ ...this.options.cache, folder });
  }

  private refuseLostNode(blocksOnNode: number): void {
    if (blocksOnNode === this.blocks) return;
    throw new SluiceError(
      'unavailable',
      `The node of the remote prefix was lost: ${this.blocks} blocks were there, ${blocksOnNode} are left. ` +
        'What it said is above; run the benchmark again.',
      { expected: this.blocks, found: blocksOnNode },
    );
  }
}
