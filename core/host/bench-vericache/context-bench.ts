import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { engineClockMs } from '../../base';
import type { CacheIdentity, CacheReaderPool, DiskCacheOptions } from '../../vericache';
import { compressorNamed, DiskCache, planCaches, VericacheSource } from '../../vericache';
import { Progress } from './progress';
import type { Prompts } from './prompts';
import { RemoteSide, type PrefixNode } from './remote';
import { toRow, type CheckedRun, type Side, type SideRun, type VericacheRow } from './rows';
import { equalTokens, ratioOf, runSide, settingsOf, type Bench } from './side-runner';

export interface ContextBench {
  /** For caches; each is new. */
  readonly folder: string;
  readonly identity: CacheIdentity;
  readonly pool: CacheReaderPool;
  /** Counted replies of every side, each about another passage; one before them warms up. */
  readonly repeats: number;
  readonly compressors: readonly string[];
  /** Beyond the bench's first: of VeriCache's sides, for compressors that take one. */
  readonly moreRatios: readonly number[];
  readonly log: (message: string) => void;
}

const FLOAT_BYTES = 4;
const DEFAULT_COMPRESSOR = 'snapkv';

/** All sides at one context, in turn. */
export async function benchContext(
  bench: Bench,
  context: ContextBench,
  prompts: Prompts,
  contextTokens: number,
  node: PrefixNode,
): Promise<readonly VericacheRow[]> {
  const { log, repeats } = context;
  const fullCache = await openCache(bench, context, contextTokens);
  const turns = new Turns(bench, context, contextTokens, fullCache);
  try {
    for (let passage = 0; passage < Math.max(1, repeats); passage += 1) {
      const prompt = prompts.of(passage * contextTokens, contextTokens - bench.tokens);
      log(`${contextTokens} tokens: computing the full cache of passage ${passage + 1}`);
      await fullCache.truncate(0);
      await fill(bench, fullCache, prompt, contextTokens);
      if (passage === 0) await turns.warmUp(prompt, node);
      if (repeats > 0) await turns.take(prompt);
    }
    return turns.rows();
  } finally {
    await fullCache.close();
    await rm(cacheOptions(bench, context, contextTokens).folder, { recursive: true, force: true });
  }
}

/** Every side replies once a turn; a turn's prompt is in the full cache. */
class Turns {
  private readonly sides: readonly Side[];
  private readonly runs: Map<Side, CheckedRun[]>;
  private readonly progress: Progress;
  /** Of every side that verifies or reads the full cache as it streams: equal memory. */
  private readonly budgetBytes: number;
  /** While the prompt is the one that the other node has. */
  private remote: RemoteSide | undefined;
  private figures: ReturnType<RemoteSide['figures']> | undefined;

  constructor(
    private readonly bench: Bench,
    private readonly context: ContextBench,
    private readonly contextTokens: number,
    private readonly fullCache: DiskCache,
  ) {
    const { repeats, log } = context;
    this.sides = sidesOf(context);
    this.budgetBytes = this.largestNeed();
    this.runs = new Map(this.sides.map((side) => [side, []]));
    // The node has the first passage only.
    const replies = (repeats + 1) * this.sides.length - Math.max(0, repeats - 1);
    this.progress = new Progress(replies, log, engineClockMs);
  }

  /** Replies that are not counted, unless they are the only ones. */
  async warmUp(prompt: readonly number[], node: PrefixNode): Promise<void> {
    const { bench, context, contextTokens } = this;
    this.remote = await prepareRemote(
      { bench, context, contextTokens, budgetBytes: this.budgetBytes },
      prompt,
      node,
    );
    await this.turn(prompt, context.repeats === 0);
  }

  async take(prompt: readonly number[]): Promise<void> {
    await this.turn(prompt, true);
    this.remote = undefined;
  }

  rows(): readonly VericacheRow[] {
    return this.sides.map((side) => this.rowOf(side));
  }

  private async turn(prompt: readonly number[], isCounted: boolean): Promise<void> {
    let expected: readonly number[] | undefined;
    for (const side of this.sides) {
      const run = await this.reply(side, prompt, isCounted);
      if (!run) continue;
      expected ??= run.tokens;
      const exact = equalTokens(run.tokens, expected) === expected.length;
      if (isCounted) this.runs.get(side)!.push({ ...run, exact });
      const rate = (((run.tokens.length - 1) * 1000) / run.decodeMs).toFixed(1);
      this.progress.step(`${this.contextTokens} tokens: ${nameOf(side)} ${rate} tokens/s`);
    }
  }

  /** @returns undefined where the other node has another passage. */
  private async reply(
    side: Side,
    prompt: readonly number[],
    isCounted: boolean,
  ): Promise<SideRun | undefined> {
    const { bench, fullCache, contextTokens } = this;
    if (side.side === 'remote-prefix') {
      const run = await this.remote?.run(isCounted);
      if (run && isCounted) this.figures = this.remote?.figures();
      return run;
    }
    const budgetBytes = side.side === 'lossy' ? 0 : this.budgetBytes;
    const settings = settingsOf(side, bench, contextTokens, budgetBytes);
    return runSide(side, bench, { fullCache, storedText: fullCache.tokens, prompt, settings });
  }

  private rowOf(side: Side): VericacheRow {
    const { bench, runs, contextTokens } = this;
    const { layers, kvHeads, headDim } = bench.model.decoder.config;
    const fullCacheBytes = 2 * layers * kvHeads * headDim * FLOAT_BYTES * contextTokens;
    const ratio = ratioOf(side, bench);
    const row = toRow(side, { contextTokens, ratio, fullCacheBytes }, runs.get(side)!);
    return side.side === 'remote-prefix' ? { ...row, ...this.figures } : row;
  }

  /** What the side that needs most takes with as little as works well. */
  private largestNeed(): number {
    const { bench, contextTokens } = this;
    const needs = this.sides
      .filter(({ side }) => side !== 'full-memory' && side !== 'lossy')
      .map((side) => planCaches(bench.model.decoder, settingsOf(side, bench, contextTokens, 0)).totalBytes);
    return Math.max(...needs);
  }
}

/** @returns the full cache in memory first: what the others are compared with. */
function sidesOf({ compressors, moreRatios }: ContextBench): readonly Side[] {
  const compressed = (side: Side['side'], ratio?: number): Side[] =>
    compressors
      .filter((name) => ratio === undefined || compressorNamed(name).fixedRatio === undefined)
      .map((compressor) => ({ side, compressor, ...(ratio !== undefined && { ratio }) }));
  return [
    { side: 'full-memory' },
    { side: 'full-ssd' },
    ...compressed('vericache'),
    ...moreRatios.flatMap((ratio) => compressed('vericache', ratio)),
    firstCompressed('vericache-lookup', compressors),
    firstCompressed('remote-prefix', compressors),
    ...compressed('lossy'),
  ];
}

function firstCompressed(side: Side['side'], [compressor = DEFAULT_COMPRESSOR]: readonly string[]): Side {
  return { side, compressor };
}

function nameOf({ side, compressor, ratio }: Side): string {
  return [side, compressor, ratio !== undefined && `at ${ratio}x`].filter(Boolean).join(' ');
}

interface RemoteContext {
  readonly bench: Bench;
  readonly context: ContextBench;
  readonly contextTokens: number;
  readonly budgetBytes: number;
}

/** Its caches have the identity that the node knows: the weights by their checksum. */
function prepareRemote(
  { bench, context, contextTokens, budgetBytes }: RemoteContext,
  prompt: readonly number[],
  node: PrefixNode,
): Promise<RemoteSide> {
  const side = firstCompressed('remote-prefix', context.compressors);
  context.log(`${contextTokens} tokens: the other node computes the prompt`);
  const cache = cacheOptions(bench, context, contextTokens);
  const identity = { ...cache.identity, weights: node.weights };
  const settings = settingsOf(side, bench, contextTokens, budgetBytes);
  return RemoteSide.prepare({ node, side, bench, prompt, settings, cache: { ...cache, identity } });
}

function cacheOptions(
  { model }: Bench,
  { folder, identity, pool }: ContextBench,
  capacityTokens: number,
): DiskCacheOptions {
  const { layers, kvHeads, headDim } = model.decoder.config;
  const shape = { layers, kvHeads, headDim, capacityTokens };
  return { folder: join(folder, `context-${capacityTokens}`), shape, identity, pool };
}

/** A cache of its own, empty. */
export async function openCache(
  bench: Bench,
  context: ContextBench,
  capacityTokens: number,
): Promise<DiskCache> {
  const options = cacheOptions(bench, context, capacityTokens);
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true });
  return DiskCache.open(options);
}

/** Computes a prompt's keys and values once for all sides. */
export async function fill(
  { environment, model }: Bench,
  fullCache: DiskCache,
  prompt: readonly number[],
  maxTokens: number,
): Promise<void> {
  const source = VericacheSource.open({
    environment,
    decoder: model.decoder,
    fullCache,
    storedText: [],
    budgetBytes: 0,
    maxTokens,
    draftLength: 1,
    proposers: [],
  });
  try {
    await source.prefill(prompt);
    await source.settled();
  } finally {
    await source.close();
  }
}
