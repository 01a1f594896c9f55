import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import { SluiceError } from '../../../contract';
import { exportForTransformersJs } from '../../../llm';
import { sha256OfFile } from '../../../storage';
import { toRow, type PeerRow } from './peer-rows';
import { SideClient } from './side-client';
import type { Decoded, PeerPrecision, PeerSide, SideModel } from './side-protocol';
import { ensureTransformers } from './transformers-package';

export interface PeerOptions {
  /** GGUF file of the llama family. */
  readonly modelPath: string;
  /** Prompts are the first tokens of it: at least as many as the longest context. */
  readonly text: readonly number[];
  /** Tokens of a prompt. */
  readonly contexts?: readonly number[];
  readonly precisions?: readonly PeerPrecision[];
  /** Of each side; default: the machine's. */
  readonly threads?: number;
  /** Bursts of each side, in turn. */
  readonly repetitions?: number;
  /** Of a burst. */
  readonly newTokens?: number;
  /** Where the exported model (100 MB, or 650 MB in float32) and transformers.js (470 MB) are kept for the next run. */
  readonly workDir?: string;
  readonly signal?: AbortSignal;
  readonly log?: (message: string) => void;
}

interface Plan {
  readonly modelPath: string;
  readonly text: readonly number[];
  readonly threads: number;
  readonly repetitions: number;
  readonly newTokens: number;
  readonly packageFolder: string;
  readonly exportFolder: (precision: PeerPrecision) => string;
  readonly signal: AbortSignal | undefined;
  readonly log: (message: string) => void;
}

const SIDES: readonly PeerSide[] = ['sluice', 'transformers.js'];
const DEFAULT_CONTEXTS: readonly number[] = [64, 1024, 4096, 8000];
const DEFAULT_REPETITIONS = 3;
const DEFAULT_NEW_TOKENS = 48;
/** Raised when the exporter changes: what an older one wrote is not taken up again. */
const EXPORT_VERSION = 1;
const EXPORTS = { packed: 'q4', float32: 'fp32' } as const;

/**
 * Greedy decoding over the full cache, by Sluice and by `@huggingface/transformers` on the same model: both sides in
 * turn, each in a process of its own that has computed the same prompt. Both run ONNX Runtime 1.30 on the CPU with as
 * many threads, float32 caches and, when packed, 4-bit weights in blocks of 32 with x rounded to 8 bits.
 * @returns a row a precision, context and side.
 * @throws SluiceError `unavailable` when transformers.js can't be installed, `bad-input` for a text too short,
 * `cancelled`, and what opening a model throws.
 */
export async function measurePeer(options: PeerOptions): Promise<PeerRow[]> {
  const contexts = options.contexts ?? DEFAULT_CONTEXTS;
  const plan = await makePlan(options);
  const longest = Math.max(...contexts);
  if (plan.text.length < longest) {
    throw new SluiceError('bad-input', `Expected a text of ${longest} tokens, found ${plan.text.length}.`);
  }
  await ensureTransformers(plan.packageFolder, plan.log);
  const rows: PeerRow[] = [];
  for (const precision of options.precisions ?? ['packed']) {
    await ensureExport(plan, precision);
    for (const contextTokens of contexts) rows.push(...(await compare(plan, precision, contextTokens)));
  }
  return rows;
}

async function makePlan(options: PeerOptions): Promise<Plan> {
  const folder = resolve(options.workDir ?? join(tmpdir(), 'sluice-bench'), 'peer');
  const modelPath = resolve(options.modelPath);
  const { size } = await stat(modelPath);
  const hash = await sha256OfFile(modelPath, { offset: 0, byteLength: size }, undefined, options.signal);
  const model = `${basename(modelPath, '.gguf')}-${hash.slice(0, 12)}-v${EXPORT_VERSION}`;
  return {
    modelPath,
    text: options.text,
    threads: options.threads ?? availableParallelism(),
    repetitions: options.repetitions ?? DEFAULT_REPETITIONS,
    newTokens: options.newTokens ?? DEFAULT_NEW_TOKENS,
    packageFolder: join(folder, 'transformers.js'),
    exportFolder: (precision) => join(folder, `${model}-${EXPORTS[precision]}`),
    signal: options.signal,
    log: options.log ?? ((): void => undefined),
  };
}

/** A folder under its own name is whole. */
async function ensureExport({ exportFolder, modelPath, log }: Plan, precision: PeerPrecision): Promise<void> {
  const folder = exportFolder(precision);
  if (existsSync(folder)) return;
  log(`exporting ${modelPath} to ${folder}`);
  const partial = `${folder}.${process.pid}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    await exportForTransformersJs(modelPath, partial, EXPORTS[precision]);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function compare(plan: Plan, precision: PeerPrecision, contextTokens: number): Promise<PeerRow[]> {
  const { modelPath, packageFolder, threads, newTokens, log } = plan;
  const exportFolder = plan.exportFolder(precision);
  const model: SideModel = { ggufPath: modelPath, exportFolder, packageFolder, precision, threads };
  const prompt = plan.text.slice(0, contextTokens);
  const clients = SIDES.map((side) => SideClient.start(side));
  const stop = (): void => clients.forEach((client) => client.kill());
  plan.signal?.addEventListener('abort', stop);
  try {
    refuseCancelled(plan.signal);
    const prepared = [];
    for (const client of clients) {
      const { loadMs } = await client.open(model);
      const { prefillMs } = await client.prefill(prompt, newTokens);
      prepared.push({ client, loadMs, prefillMs, bursts: [] as Decoded[] });
    }
    for (let repetition = 0; repetition <= plan.repetitions; repetition += 1) {
      for (const { client, bursts } of prepared) {
        const burst = await client.decode(newTokens);
        // The first burst warms up.
        if (repetition > 0) bursts.push(burst);
      }
    }
    return prepared.map(({ client, ...measured }) => {
      const row = toRow({ side: client.side, precision, contextTokens, threads }, measured);
      log(`${precision}, ${contextTokens} tokens, ${row.side}: ${row.tokensPerSec} tokens/s`);
      return row;
    });
  } catch (error) {
    refuseCancelled(plan.signal);
    throw error;
  } finally {
    plan.signal?.removeEventListener('abort', stop);
    await Promise.all(clients.map((client) => client.end()));
  }
}

function refuseCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SluiceError('cancelled', 'The comparison was cancelled.');
}
