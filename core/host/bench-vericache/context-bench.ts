import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { engineClockMs } from '../../base';
import type { CacheIdentity, CacheReaderPool, DiskCacheOptions } from '../../vericache';
import { compressorNamed, DiskCache, VericacheSource } from '../../vericache';
import { Progress } from './progress';
import type { Prompts } from './prompts';
import { RemoteSide, type PrefixNode } from './remote';
import { toRow, type Side, type SideRun, type VericacheRow } from './rows';
import { runSide, settingsOf, type Bench } from './side-runner';

export interface ContextBench {
  /** For caches; each is new. */
  readonly folder: string;
  readonly identity: CacheIdentity;
  readonly pool: CacheReaderPool;
  /** Replies of every side; the first one of each is not counted. */
  readonly repeats: number;
  readonly compressors: readonly string[];
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
  const { log } = context;
  const prompt = prompts.of(0, contextTokens - bench.tokens);
  const fullCache = await openCache(bench, context, contextTokens);
  try {
    log(`${contextTokens} tokens: computing the full cache`);
    await fill(bench, fullCache, prompt, contextTokens);
    const remote = await prepareRemote(bench, context, prompt, contextTokens, node);
    const turns = new Turns(bench, context, { prompt, contextTokens, fullCache, remote });
    return await turns.rows();
  } finally {
    await fullCache.close();
    await rm(cacheOptions(bench, context, contextTokens).folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly prompt: readonly number[];
  readonly contextTokens: number;
  readonly fullCache: DiskCache;
  readonly remote: RemoteSide;
}

/** Every side replies once a turn. */
class Turns {
  private readonly sides: readonly Side[];
  private readonly runs: Map<Side, SideRun[]>;

  constructor(
    private readonly bench: Bench,
    private readonly context: ContextBench,
    private readonly place: Place,
  ) {
    this.sides = sidesOf(context.compressors);
    this.runs = new Map(this.sides.map((side) => [side, []]));
  }

  async rows(): Promise<readonly VericacheRow[]> {
    const { repeats, log } = this.context;
    const ssdBudgetBytes = await this.smallestBudget();
    const progress = new Progress((repeats + 1) * this.sides.length, log, engineClockMs);
    for (let repeat = 0; repeat <= repeats; repeat += 1) {
      const isCounted = repeat > 0 || repeats === 0;
      for (const side of this.sides) {
        const run = await this.reply(side, side.side === 'full-ssd' ? ssdBudgetBytes : 0, isCounted);
        if (isCounted) this.runs.get(side)!.push(run);
        const rate = (((run.tokens.length - 1) * 1000) / run.decodeMs).toFixed(1);
        progress.step(`${this.place.contextTokens} tokens: ${nameOf(side)} ${rate} tokens/s`);
      }
    }
    return this.sides.map((side) => this.rowOf(side));
  }

  private reply(side: Side, budgetBytes: number, isCounted: boolean): Promise<SideRun> {
    const { bench, place } = this;
    const { remote, fullCache, prompt, contextTokens } = place;
    if (side.side === 'remote-prefix') return remote.run(isCounted);
    const settings = settingsOf(side, bench, contextTokens, budgetBytes);
    return runSide(side, bench, { fullCache, storedText: fullCache.tokens, prompt, settings });
  }

  private rowOf(side: Side): VericacheRow {
    const { bench, place, runs, sides } = this;
    const { layers, kvHeads, headDim } = bench.model.decoder.config;
    const { contextTokens } = place;
    const fullCacheBytes = 2 * layers * kvHeads * headDim * FLOAT_BYTES * contextTokens;
    const { compressor } = side;
    const ratio = compressor === undefined ? 1 : (compressorNamed(compressor).fixedRatio ?? bench.ratio);
    const [reference] = runs.get(sides[0]!)!;
    const row = toRow(side, { contextTokens, ratio, fullCacheBytes }, runs.get(side)!, reference!.tokens);
    return side.side === 'remote-prefix' ? { ...row, ...place.remote.figures() } : row;
  }

  /** What VeriCache takes with as little as works well: the baseline on SSD gets the same. */
  private async smallestBudget(): Promise<number> {
    const { bench, place, context } = this;
    const { fullCache, prompt, contextTokens } = place;
    const side = firstCompressed('vericache', context.compressors);
    const settings = settingsOf(side, bench, contextTokens, 0);
    const request = { fullCache, storedText: fullCache.tokens, prompt, settings };
    return (await runSide(side, { ...bench, tokens: 2 }, request)).budgetBytes;
  }
}

/** @returns the full cache in memory first: what the others are compared with. */
function sidesOf(compressors: readonly string[]): readonly Side[] {
  return [
    { side: 'full-memory' },
    { side: 'full-ssd' },
    ...compressors.map((compressor): Side => ({ side: 'vericache', compressor })),
    firstCompressed('vericache-lookup', compressors),
    firstCompressed('remote-prefix', compressors),
    ...compressors.map((compressor): Side => ({ side: 'lossy', compressor })),
  ];
}

function firstCompressed(side: Side['side'], [compressor = DEFAULT_COMPRESSOR]: readonly string[]): Side {
  return { side, compressor };
}

function nameOf({ side, compressor }: Side): string {
  return compressor === undefined ? side : `${side} ${compressor}`;
}

/** Its caches have the identity that the node knows: the weights by their checksum. */
function prepareRemote(
  bench: Bench,
  context: ContextBench,
  prompt: readonly number[],
  contextTokens: number,
  node: PrefixNode,
): Promise<RemoteSide> {
  const side = firstCompressed('remote-prefix', context.compressors);
  context.log(`${contextTokens} tokens: the other node computes the prompt`);
  const cache = cacheOptions(bench, context, contextTokens);
  const identity = { ...cache.identity, weights: node.weights };
  const settings = settingsOf(side, bench, contextTokens, 0);
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
