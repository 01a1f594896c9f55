import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { CacheReaderPool } from '../../vericache';
import { compressorNamed, DiskCache, VericacheSource, type CacheIdentity } from '../../vericache';
import type { Prompts } from './prompts';
import { toRow, type Side, type SideRun, type VericacheRow } from './rows';
import { runSide, settingsOf, type Bench } from './side-runner';

export interface ContextBench {
  readonly workDir: string;
  readonly identity: CacheIdentity;
  readonly pool: CacheReaderPool;
  /** Replies of every side; the first one of each is not counted. */
  readonly repeats: number;
  readonly compressors: readonly string[];
  readonly log: (message: string) => void;
}

const FLOAT_BYTES = 4;

/** All sides at one context, in turn. */
export async function benchContext(
  bench: Bench,
  context: ContextBench,
  prompts: Prompts,
  contextTokens: number,
): Promise<readonly VericacheRow[]> {
  const { log, compressors, repeats } = context;
  const prompt = prompts.of(0, contextTokens - bench.tokens);
  const { layers, kvHeads, headDim } = bench.model.decoder.config;
  const fullCache = await openCache(bench, context, contextTokens);
  try {
    log(`${contextTokens} tokens: computing the full cache`);
    await fill(bench, fullCache, prompt, contextTokens);
    const sides = sidesOf(compressors);
    const budgetBytes = await smallestBudget(
      bench,
      fullCache,
      prompt,
      compressors[0] ?? 'snapkv',
      contextTokens,
    );
    const runs = new Map<Side, SideRun[]>(sides.map((side) => [side, []]));
    for (let repeat = 0; repeat <= repeats; repeat += 1) {
      for (const side of sides) {
        const settings = settingsOf(side, bench, contextTokens, side.side === 'full-ssd' ? budgetBytes : 0);
        const run = await runSide(side, bench, fullCache, prompt, settings);
        const rate = ((run.tokens.length - 1) * 1000) / run.decodeMs;
        log(`${contextTokens} tokens: ${side.side} ${side.compressor ?? ''} ${rate.toFixed(1)} tokens/s`);
        if (repeat > 0 || repeats === 0) runs.get(side)!.push(run);
      }
    }
    const [reference] = runs.get(sides[0]!)!;
    const fullCacheBytes = 2 * layers * kvHeads * headDim * FLOAT_BYTES * contextTokens;
    return sides.map((side) => {
      const { compressor } = side;
      const ratio = compressor === undefined ? 1 : (compressorNamed(compressor).fixedRatio ?? bench.ratio);
      return toRow(side, { contextTokens, ratio, fullCacheBytes }, runs.get(side)!, reference!.tokens);
    });
  } finally {
    await fullCache.close();
  }
}

/** @returns the full cache in memory first: what the others are compared with. */
function sidesOf(compressors: readonly string[]): readonly Side[] {
  return [
    { side: 'full-memory' },
    { side: 'full-ssd' },
    ...compressors.map((compressor): Side => ({ side: 'vericache', compressor })),
    ...compressors.slice(0, 1).map((compressor): Side => ({ side: 'vericache-lookup', compressor })),
    ...compressors.map((compressor): Side => ({ side: 'lossy', compressor })),
  ];
}

/** A cache of its own, empty. */
export async function openCache(
  { model }: Bench,
  { workDir, identity, pool }: ContextBench,
  capacityTokens: number,
): Promise<DiskCache> {
  const folder = join(workDir, `context-${capacityTokens}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { layers, kvHeads, headDim } = model.decoder.config;
  return DiskCache.open({ folder, shape: { layers, kvHeads, headDim, capacityTokens }, identity, pool });
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

/** What VeriCache takes with as little as works well: the baseline on SSD gets the same. */
async function smallestBudget(
  bench: Bench,
  fullCache: DiskCache,
  prompt: readonly number[],
  compressor: string,
  maxTokens: number,
): Promise<number> {
  const side: Side = { side: 'vericache', compressor };
  const probe = { ...bench, tokens: 2 };
  const run = await runSide(side, probe, fullCache, prompt, settingsOf(side, bench, maxTokens, 0));
  return run.budgetBytes;
}
